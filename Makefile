# make run: everything from a fresh machine to the app. make test: everything that can be checked.
PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
.PHONY: run classroom test check bench pretrained chromium clean

run: .venv/app
	$(BIN)/streamlit run app.py

# Open to the local network: whoever can reach this machine can use the app.
classroom: .venv/app
	$(BIN)/streamlit run app.py --server.address 0.0.0.0 --server.allowedHosts '*'

test: check chromium
	$(BIN)/python -m pytest

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/dev chromium
	$(BIN)/python benchmarks/lab_latency.py
	$(BIN)/python benchmarks/training_paths.py

# Train the shipped checkpoints again: the same bits on the same machine.
pretrained: .venv/app
	rm -rf runs/pretrained
	$(BIN)/python -m maml_core train --run-dir runs/pretrained/maml --K 10 --num-updates 1 --alpha 0.01 \
	  --beta 0.003 --schedule cosine --max-steps 30000 --path compiled
	$(BIN)/python -m maml_core train --run-dir runs/pretrained/pretrained --algorithm pretrained --K 10 \
	  --beta 0.003 --schedule cosine --max-steps 20000 --path compiled
	for name in maml pretrained; do cp runs/pretrained/$$name/checkpoints/final.safetensors pretrained/$$name.safetensors; done

.venv/app: requirements.txt
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -r requirements.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/app
	$(BIN)/python -m pip install -q -r requirements-dev.txt
	touch $@

# A browser for the tests: the one that is here, else Debian's, else Playwright's.
chromium: .venv/dev
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium; } \
	  || $(BIN)/playwright install --with-deps chromium

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
