# cloud-cli-proxy. `make` prints what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
FLAVOUR ?= release
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
OUT := build/$(FLAVOUR)
Q := $(if $(V),,@)# V=1 shows the commands

WARNINGS := -Wall -Wextra -Wshadow -Wswitch -Wcast-qual -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes -Werror
CPPFLAGS := -isystem /usr/include/postgresql -D_GNU_SOURCE -DCCP_VERSION='"$(VERSION)"' -I.
CFLAGS := -std=gnu17 -g -pthread -fno-omit-frame-pointer $(WARNINGS)
LDFLAGS := -pthread -Wl,--as-needed

FLAGS_debug := -O1 -DCCP_FAILPOINTS
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined
FLAGS_tsan := -O1 -fsanitize=thread
FLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_release := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(FLAGS_$(FLAVOUR)),)
$(error FLAVOUR is debug, asan, tsan or release, not "$(FLAVOUR)")
endif
CFLAGS += $(FLAGS_$(FLAVOUR))
LDFLAGS += $(LDFLAGS_$(FLAVOUR))

# A program is the *.c files of its folder and of that folder's subfolders, and the library. agent/init is a program of its own.
LIBS_lib := -lpq -lcjson -lcurl -lcrypt -lsodium
LIBS_workers :=
LIBS_api := -ljwt
LIBS_agent := -lnftnl -lmnl -lcares -lseccomp
LIBS_runtime :=
LIBS_sshproxy := -lssh -lseccomp
FOLDERS := $(patsubst %/main.c,%,$(wildcard workers/main.c api/main.c agent/main.c runtime/main.c sshproxy/main.c))
program = ccp-$(patsubst workers,worker,$(1))
PROGRAMS := $(foreach f,$(FOLDERS),$(OUT)/$(call program,$(f)))

objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
LIB := $(OUT)/libccp.a

.PHONY: help build init units fuzz lint format mutants clean test test-fast test-kernel-wireguard leak bench up down status psql

help: ## this text
	@printf 'cloud-cli-proxy %s\n\n' '$(VERSION)'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  FLAVOUR=debug|asan|tsan|release (default release) goes with build, units and up.\n'

build: $(PROGRAMS) init ## compile everything to build/FLAVOUR (needs the libraries: tools/install-deps)

up: ## install, build, start everything; ends by doing the main job (MODE=embedded: the agent under the worker)
	@CCP_MODE='$(or $(MODE),$(CCP_MODE))' deploy/scripts/up

down: ## end what `make up` started (PURGE=1: remove the data too)
	@PURGE='$(PURGE)' deploy/scripts/down

status: ## what runs, and how it is
	@deploy/scripts/status

psql: ## a psql for the DBA
	@deploy/scripts/psql

test: ## install what is missing, build, run every test
	@tests/run

test-fast: ## the tests that need no container, in minutes
	@tests/run --fast

test-kernel-wireguard: ## test WireGuard in the kernel, on a machine that has it
	@tests/kernel/run

leak: ## try every way out of hosts behind every kind of exit, and while their parts are killed; prints what was counted
	@CCP_LEAK=full tests/run $(wildcard tests/system/test_leak*.py tests/system/test_kill*.py)

bench: ## measure; writes .run/bench.json (STRICT=1: a missed bound is an error; ITEMS="start ssh-connect")
	@tests/bench/run $(if $(STRICT),--strict) $(ITEMS)

# $(1) is a file that holds the text of the variable $(2). It is written again when that is another one, and so is made again
# what depends on it: a change of flags, compiler, libraries, version or list of sources needs no `make clean`.
define STAMP_RULE
ifneq ($$(file <$(1)),$$($(2)))
.PHONY: $(1)
endif
$(1):
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$$($(2)))' >$$@
endef

COMPILE := $(CC) $(CPPFLAGS) $(CFLAGS)
LIBRARIES := libpq libcjson libcurl libxcrypt libsodium libjwt libnftnl libmnl libcares libseccomp libssh
LIBRARY_VERSIONS := $(shell pkg-config --modversion $(LIBRARIES) 2>/dev/null)
COMPILER_VERSION := $(shell $(CC) --version 2>/dev/null | head -n 1)
COMPILER := $(COMPILE) $(COMPILER_VERSION) $(LIBRARY_VERSIONS)
$(eval $(call STAMP_RULE,$(OUT)/obj/compiler,COMPILER))

$(OUT)/obj/%.o: %.c $(OUT)/obj/compiler
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

LIB_OBJECTS := $(call objects,$(wildcard lib/*.c))
$(eval $(call STAMP_RULE,$(OUT)/obj/libccp,LIB_OBJECTS))
$(LIB): $(LIB_OBJECTS) $(OUT)/obj/libccp
	@rm -f $@
	$(Q)ar rcsD $@ $(filter %.o,$^)

# $(1) is a program, $(2) its sources besides the library, $(3) its libraries besides the library's.
define LINK_RULE
LINK_$(1) := $(CC) $(LDFLAGS) -o $(OUT)/$(1) $(call objects,$(2)) $(LIB) $(3) $(LIBS_lib)
$(call STAMP_RULE,$(OUT)/obj/$(1).link,LINK_$(1))
$(OUT)/$(1): $(call objects,$(2)) $(LIB) $(OUT)/obj/$(1).link
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	$$(Q)$$(LINK_$(1))
endef

# The runtime has one thread. That of the sanitizer would forbid it to make a user namespace: it is the released one.
ifeq ($(FLAVOUR),tsan)
FOLDERS := $(filter-out runtime,$(FOLDERS))
.PHONY: $(OUT)/ccp-runtime
$(OUT)/ccp-runtime:
	@mkdir -p $(@D)
	$(Q)$(MAKE) --no-print-directory FLAVOUR=release build/release/ccp-runtime
	$(Q)ln -f build/release/ccp-runtime $@
endif

sources = $(filter-out agent/init/%,$(wildcard $(1)/*.c $(1)/*/*.c))
$(foreach f,$(FOLDERS),$(eval $(call LINK_RULE,$(call program,$(f)),$(call sources,$(f)),$(LIBS_$(f)))))

# The script is part of the program (.incbin).
$(OUT)/obj/api/script.o: deploy/bootstrap/bootstrap.sh

# PID 1 of the containers: static, small, the same file for all flavours (asan cannot be static).
INIT_SOURCES := $(wildcard agent/init/*.c)
INIT_COMPILE := $(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -Os -static -s -ffunction-sections -fdata-sections \
	-Wl,--gc-sections -fstack-protector-strong -o build/ccp-init $(INIT_SOURCES)
INIT_COMMAND := $(INIT_COMPILE) $(COMPILER_VERSION)
$(eval $(call STAMP_RULE,build/ccp-init.command,INIT_COMMAND))
build/ccp-init: $(INIT_SOURCES) $(wildcard agent/init/*.h) agent/container/gate_wire.h build/ccp-init.command
	@echo "  LD   $@"
	$(Q)$(INIT_COMPILE)

$(OUT)/ccp-init: build/ccp-init
	@mkdir -p $(@D)
	ln -f $< $@

init: $(if $(INIT_SOURCES),$(OUT)/ccp-init)

# Tests in C are linked with the library and the files that a line `// uses: agent/net/wall.c ...` names.
uses = $(shell sed -n 's|^// uses: ||p' $(1))
libs_of = $(foreach f,$(sort $(foreach u,$(1),$(firstword $(subst /, ,$(u))))),$(LIBS_$(f)))
test_rule = $(call LINK_RULE,$(1),$(2) $(3),$(4) $(call libs_of,$(3)))

# Unit tests: tests/unit/test_x.c becomes $(OUT)/unit/test_x.
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
units: $(addprefix $(OUT)/unit/,$(UNITS)) ## compile the unit tests to build/FLAVOUR/unit
$(foreach u,$(UNITS),$(eval $(call test_rule,unit/$(u),tests/unit/$(u).c,$(call uses,tests/unit/$(u).c),-lcmocka)))

# Drivers of system tests, made when a test asks for one: tests/system/x.c becomes $(OUT)/driver/x.
DRIVERS := $(patsubst tests/system/%.c,%,$(wildcard tests/system/*.c))
$(foreach d,$(DRIVERS),$(eval $(call test_rule,driver/$(d),tests/system/$(d).c,$(call uses,tests/system/$(d).c))))

# Fuzzers: tests/fuzz/fuzz_x.c, libFuzzer of clang, run for FUZZ_S seconds each. They begin with the corpus that is kept in
# tests/fuzz/corpus/fuzz_x and put what they find into build/fuzz/corpus/fuzz_x.
FUZZ_S ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: ## run every fuzzer for FUZZ_S seconds (default 60)
	@tools/install-deps build fuzz
	@$(MAKE) --no-print-directory $(addprefix build/fuzz/,$(FUZZERS))
	@for f in $(FUZZERS); do \
		mkdir -p build/fuzz/corpus/$$f && \
		build/fuzz/$$f -max_total_time=$(FUZZ_S) -max_len=4096 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$f tests/fuzz/corpus/$$f || exit 1; \
	done
FUZZ_COMPILE := clang $(CPPFLAGS) -std=gnu17 -g -O1 -pthread -fsanitize=address,undefined
fuzz_objects = $(patsubst %.c,build/fuzz/obj/%.o,$(1))
FUZZ_COMPILER := $(FUZZ_COMPILE) $(shell clang --version 2>/dev/null | head -n 1) $(LIBRARY_VERSIONS)
$(eval $(call STAMP_RULE,build/fuzz/obj/compiler,FUZZ_COMPILER))
build/fuzz/obj/%.o: %.c build/fuzz/obj/compiler
	@mkdir -p $(@D)
	$(Q)$(FUZZ_COMPILE) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<
define FUZZ_RULE
build/fuzz/$(1): $(call fuzz_objects,tests/fuzz/$(1).c $(2) $(wildcard lib/*.c))
	@echo "  LD   $$@"
	$$(Q)$(FUZZ_COMPILE) -fsanitize=fuzzer -o $$@ $$^ $(call libs_of,$(2)) $(LIBS_lib)
endef
$(foreach f,$(FUZZERS),$(eval $(call FUZZ_RULE,$(f),$(call uses,tests/fuzz/$(f).c))))

mutants: ## change one condition at a time, run that place's tests, list what no test noticed (PLACE=task, SHARE=10 for a tenth)
	@$(MAKE) --no-print-directory -s FLAVOUR=asan units
	@env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tools/mutants $(if $(SHARE),--share $(SHARE)) $(PLACE)

lint: ## formatting, includes, both compilers, Python, shell and SQL style
	@tools/install-deps build lint
	@tools/lint

format: ## apply clang-format and ruff
	clang-format -i $$(git ls-files '*.c' '*.h')
	@. tools/pins && "$$ruff_dir/bin/ruff" format

clean: ## remove build/
	rm -rf build

-include $(shell find $(OUT)/obj build/fuzz/obj -name '*.d' 2>/dev/null)
