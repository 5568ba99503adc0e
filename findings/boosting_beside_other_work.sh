#!/usr/bin/env bash
# Finding: one fit of scikit-learn's histogram gradient boosting takes many times as long once other work keeps the
# processors busy, unless its threads are told to sleep while they wait for each other.
#
# Versions:  scikit-learn 1.9.1, NumPy 2.4.6 (wheels; libgomp comes with scikit-learn), Linux, 2 processors and more.
# Expected:  beside one busy process for each processor, a fit takes about twice as long as alone: it has half of them.
# Found:     it takes 10 times as long and more. OpenMP's threads meet thousands of times in a fit; who comes first spins
#            on a processor that the thread it waits for would need, until the system takes it away. By default libgomp
#            spins for milliseconds at each of these meetings. OMP_WAIT_POLICY=PASSIVE (or GOMP_SPINCOUNT=0), set before
#            scikit-learn is loaded, has them sleep: twice as long as alone. Nothing in the log or the result tells.
# Seen:      SEEN
# This script fails when the first is no longer at least 3 times as long as the second.
set -euo pipefail

folder=$(mktemp -d)
burners=()
trap 'for burner in "${burners[@]}"; do kill "$burner"; done; rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python=$folder/venv/bin/python
"$python" -m pip install --quiet scikit-learn==1.9.1 numpy==2.4.6

cat >"$folder/fit.py" <<'PY'
import os
import time

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])  # where the busy processes are

from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

inputs, label = make_classification(50_000, 20, random_state=0)
started = time.perf_counter()
HistGradientBoostingClassifier(max_iter=20, early_stopping=False).fit(inputs, label)
print(f"{time.perf_counter() - started:.2f}")
PY

for processor in $("$python" -c 'import os; print(*sorted(os.sched_getaffinity(0))[:2])'); do
  "$python" -c "import os; os.sched_setaffinity(0, [$processor])
while True: pass" &
  burners+=($!)
done

unset OMP_WAIT_POLICY GOMP_SPINCOUNT OMP_NUM_THREADS
default=$("$python" "$folder/fit.py")
passive=$(OMP_WAIT_POLICY=PASSIVE "$python" "$folder/fit.py")
echo "beside two busy processes: $default s; with OMP_WAIT_POLICY=PASSIVE: $passive s"
"$python" -c "import sys; sys.exit($default < 3 * $passive)"
