"""Nodes over HTTP."""

from support.orders import host_make, node_make, run_tasks


def test_a_node_tells_what_runs_on_it(admin, database):
    host_make(admin, database)
    node = next(n for n in admin.get("/v1/admin/nodes").json["nodes"] if n["name"] == "node1")
    assert (node["hosts"], node["running"]) == (1, 0)
    assert "ccp-agent" in [program["program"] for program in node["programs"]]
    assert admin.get(f"/v1/admin/nodes/{node['id']}").json == node


def test_a_cordoned_node_takes_no_new_hosts(admin, database):
    node_make(database)
    node = next(n for n in admin.get("/v1/admin/nodes").json["nodes"] if n["name"] == "node1")
    answer = admin.post(f"/v1/admin/nodes/{node['id']}/cordon")
    assert answer.status == 200 and answer.json["cordoned_at"]
    assert admin.post(f"/v1/admin/nodes/{node['id']}/uncordon").json["cordoned_at"] is None
    events = admin.get("/v1/admin/events?type=admin.node.cordoned,admin.node.uncordoned").json["events"]
    assert [event["type"] for event in events] == ["admin.node.uncordoned", "admin.node.cordoned"]


def test_a_drained_node_keeps_its_hosts_stopped_until_that_ends(admin, database):
    _, host = host_make(admin, database)
    start = f"/v1/admin/hosts/{host['id']}/start"
    assert admin.post(start).status == 202
    run_tasks(database)
    node = next(n for n in admin.get("/v1/admin/nodes").json["nodes"] if n["name"] == "node1")

    def shown():
        return admin.get(f"/v1/admin/hosts/{host['id']}").json

    answer = admin.post(f"/v1/admin/nodes/{node['id']}/drain")
    assert answer.status == 200 and answer.json["drained_at"] and answer.json["cordoned_at"]
    database.rows("select clock.tick('worker')")
    run_tasks(database)
    assert (shown()["status"], shown()["desired"]) == ("stopped", "running")
    assert "node1 is drained: it is kept stopped until that ends" in shown()["why"]
    refused = admin.post(start)
    assert (refused.status, refused.json["error_code"]) == (409, "node_drained")
    answer = admin.post(f"/v1/admin/nodes/{node['id']}/undrain")
    assert answer.json["drained_at"] is None and answer.json["cordoned_at"]
    database.rows("select clock.tick('worker')")
    run_tasks(database)
    assert shown()["status"] == "running"


def test_an_unknown_node_is_not_found(admin):
    for node_id in ("999", "x", "0", "9" * 20):
        assert admin.get(f"/v1/admin/nodes/{node_id}").status == 404, node_id
        assert admin.post(f"/v1/admin/nodes/{node_id}/drain").status == 404, node_id
