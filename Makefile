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

# A program is the *.c files of its folder and of that folder's rooms, and the library. agent/init is a program of its own.
LIBS_lib := -lpq -lcjson -lcurl -lcrypt -lsodium
LIBS_workers :=
LIBS_api := -lmicrohttpd -ljwt
LIBS_agent := -lnftnl -lmnl -lcares -lseccomp
LIBS_sshproxy := -lssh -lseccomp
FOLDERS := $(patsubst %/main.c,%,$(wildcard workers/main.c api/main.c agent/main.c sshproxy/main.c))
program = ccp-$(patsubst workers,worker,$(1))
PROGRAMS := $(foreach f,$(FOLDERS),$(OUT)/$(call program,$(f)))

objects = $(patsubst %.c,$(OUT)/obj/%.o,$(1))
LIB := $(OUT)/libccp.a

.PHONY: help build init units fuzz lint format mutants clean test bench up down status psql

help: ## this text
	@printf 'cloud-cli-proxy %s\n\n' '$(VERSION)'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n  FLAVOUR=debug|asan|tsan|release (default release) goes with build, units and up.\n'

build: $(PROGRAMS) init ## compile everything to build/FLAVOUR (needs the libraries: tools/install-deps)

up: ## install, build, start everything; ends by doing the main job
	@deploy/scripts/up

down: ## end what `make up` started (PURGE=1: remove the data too)
	@PURGE='$(PURGE)' deploy/scripts/down

status: ## what runs, and how it is
	@deploy/scripts/status

psql: ## a psql for the DBA
	@deploy/scripts/psql

test: ## install what is missing, build, run every test
	@tests/run

bench: ## measure; writes .run/bench.json
	@tests/bench/run

$(LIB): $(call objects,$(wildcard lib/*.c))
	@rm -f $@
	$(Q)ar rcsD $@ $^

define PROGRAM_RULE
$(OUT)/$(call program,$(1)): $(call objects,$(filter-out agent/init/%,$(wildcard $(1)/*.c $(1)/*/*.c))) $(LIB)
	@echo "  LD   $$@"
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ $(LIBS_$(1)) $(LIBS_lib)
endef
$(foreach f,$(FOLDERS),$(eval $(call PROGRAM_RULE,$(f))))

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The script is part of the program (.incbin).
$(OUT)/obj/api/script.o: deploy/bootstrap/bootstrap.sh

# PID 1 of the containers: static, small, the same file for all flavours (asan cannot be static).
INIT_SOURCES := $(wildcard agent/init/*.c)
build/ccp-init: $(INIT_SOURCES) $(wildcard agent/init/*.h) agent/container/gate_wire.h
	@mkdir -p $(@D)
	@echo "  LD   $@"
	$(Q)$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -Os -static -s -ffunction-sections -fdata-sections \
		-Wl,--gc-sections -fstack-protector-strong -o $@ $(INIT_SOURCES)

$(OUT)/ccp-init: build/ccp-init
	@mkdir -p $(@D)
	ln -f $< $@

init: $(if $(INIT_SOURCES),$(OUT)/ccp-init)

# Unit tests: tests/unit/test_x.c with the library and the files that a line `// uses: agent/wall.c ...` names.
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
uses = $(shell sed -n 's|^// uses: ||p' tests/unit/$(1).c)
units: $(addprefix $(OUT)/unit/,$(UNITS)) ## compile the unit tests to build/FLAVOUR/unit
define UNIT_RULE
$(OUT)/unit/$(1): $(call objects,tests/unit/$(1).c $(call uses,$(1))) $(LIB)
	@mkdir -p $$(@D)
	@echo "  LD   $$@"
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$^ -lcmocka \
		$(foreach f,$(sort $(foreach u,$(call uses,$(1)),$(firstword $(subst /, ,$(u))))),$(LIBS_$(f))) $(LIBS_lib)
endef
$(foreach u,$(UNITS),$(eval $(call UNIT_RULE,$(u))))

# Drivers of system tests, made when a test asks for one: tests/system/x.c becomes $(OUT)/driver/x.
driver_uses = $(shell sed -n 's|^// uses: ||p' $(1))
define DRIVER_RULE
$(OUT)/driver/$(basename $(notdir $(1))): $(call objects,$(1) $(call driver_uses,$(1))) $(LIB)
	@mkdir -p $$(@D)
	$$(CC) $$(LDFLAGS) -o $$@ $$^ \
		$(foreach f,$(sort $(foreach u,$(call driver_uses,$(1)),$(firstword $(subst /, ,$(u))))),$(LIBS_$(f))) $(LIBS_lib)
endef
$(foreach d,$(wildcard tests/system/*.c),$(eval $(call DRIVER_RULE,$(d))))

# Fuzzers: tests/fuzz/fuzz_x.c, libFuzzer of clang, run for FUZZ_S seconds each.
FUZZ_S ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: ## run every fuzzer for FUZZ_S seconds (default 60)
	@tools/install-deps build fuzz
	@$(MAKE) --no-print-directory $(addprefix build/fuzz/,$(FUZZERS))
	@for f in $(FUZZERS); do \
		mkdir -p build/fuzz/corpus/$$f && \
		build/fuzz/$$f -max_total_time=$(FUZZ_S) -max_len=4096 -print_final_stats=1 \
			-artifact_prefix=build/fuzz/ build/fuzz/corpus/$$f || exit 1; \
	done
define FUZZ_RULE
build/fuzz/$(1): tests/fuzz/$(1).c $(shell sed -n 's|^// uses: ||p' tests/fuzz/$(1).c) $(wildcard lib/*.c lib/*.h)
	@mkdir -p $$(@D)
	clang $(CPPFLAGS) -std=gnu17 -g -O1 -pthread -fsanitize=fuzzer,address,undefined -o $$@ \
		$$(filter %.c,$$^) $(LIBS_agent) $(LIBS_lib)
endef
$(foreach f,$(FUZZERS),$(eval $(call FUZZ_RULE,$(f))))

mutants: ## change one condition at a time, run that place's tests, list what nobody noticed (PLACE=task)
	@env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tools/mutants $(PLACE)

lint: ## formatting, includes, both compilers, Python, shell and SQL style
	@tools/install-deps build lint
	@FLAVOUR='$(FLAVOUR)' tools/lint

format: ## apply clang-format and ruff
	clang-format -i $$(git ls-files '*.c' '*.h')
	@. tools/pins && "$$ruff_dir/bin/ruff" format

clean: ## remove build/
	rm -rf build

-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
