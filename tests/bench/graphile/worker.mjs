// A graphile-worker with its defaults: node worker.mjs NODE_MODULES CONNECTIONS JOBS. The database is in PGHOST, PGUSER and PGDATABASE.
const [modules, connections, jobs] = process.argv.slice(2);
const { run } = await import(`${modules}/graphile-worker/dist/index.js`);

const runner = await run({ maxPoolSize: Number(connections), concurrency: Number(jobs), taskList: { noop() {} } });
await runner.promise;
