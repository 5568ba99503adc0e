"""Distributed training: the same steps whoever reckons them, resumed when killed, never starving quietly."""

import json
import os
import signal
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import ray
import torch
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st
from ray.train import ScalingConfig
from ray.train.torch import TorchTrainer
from safetensors import safe_open
from safetensors.torch import save_file

from nightjar.errors import LearningError, TableError
from nightjar.learning.distributed import fit as distributed_fit
from nightjar.learning.distributed import trainer
from nightjar.learning.distributed.census import census_of
from nightjar.learning.distributed.checkpoint import FILE, Progress
from nightjar.learning.distributed.fit import fit
from nightjar.learning.distributed.lanes import Group, cut_pieces, epoch_order, lane_sizes, lanes_of_worker, steps
from nightjar.learning.distributed.source import BATCH_ROWS, Source, read
from nightjar.learning.distributed.streaming import Stream, count, put_stream, sample, stream_pieces
from nightjar.learning.distributed.trainer import train
from nightjar.learning.distributed.watchdog import watch
from nightjar.learning.distributed.worker import train_worker
from nightjar.models.columns import FeatureColumn, to_frame
from nightjar.models.input_requirements import InputRequirement
from nightjar.models.network.options import Options
from nightjar.models.preprocessing.preparation import preparation as preparation_of
from nightjar.settings.distributed import Distributed
from nightjar.settings.model import Calibration, Estimator, Model
from nightjar.settings.preparation import Imbalance, ImbalanceKind, Preparation
from nightjar.settings.task import Task
from nightjar.tables import scan
from nightjar.tables.warehouse import Warehouse
from tables.damage import first_page, flip
from waiting import PATIENCE, wait_until

ROWS = 1003  # no whole number of steps: the last one has fewer rows, not equally many of each lane
LISTED = "checkpoint_manager_snapshot.json"  # Ray writes it when a checkpoint is complete
FEATURES = (FeatureColumn("load", "number"), FeatureColumn("site", "category"))
OPTIONS = Options(hidden=(8,), embedding=0, batch_size=64, epochs=3, dropout=0.2, learning_rate=0.01)
SETTINGS = Distributed(workers=2, worker_cpus=0.5, lanes=2, piece_rows=200, starved_after=120.0, restarts=1)


def rows_of(number=ROWS):
    draw = np.random.default_rng(1)
    load = draw.normal(size=number)
    label = pa.array(load + 0.5 * draw.normal(size=number) > 0)
    site = np.where(draw.random(number) < 0.5, "a", "b")
    days = [date(2024, 3, 1 + row % 3) for row in range(number)]
    return pa.table({"run_date": days, "load": load, "site": site, "label": label, "row": np.arange(number)})


def source_of(folder, rows, name="rows", partition_by=None, **changed):
    warehouse = Warehouse(str(folder), "machines")
    write_deltalake(warehouse.path(name), rows, partition_by=partition_by)
    settings = {"features": FEATURES, "label": "label", "task": Task.CLASSIFICATION} | changed
    return Source(scan.snapshot(warehouse, name), **settings)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return source_of(tmp_path_factory.mktemp("source"), rows_of(), partition_by=["run_date"])


@pytest.fixture(scope="module")
def counted(source, ray_started):
    return count(source, 120.0)


@pytest.fixture(scope="module")
def preparation():
    fitted_preparation = preparation_of(
        FEATURES, Preparation(), InputRequirement.COMPLETE, task=Task.CLASSIFICATION, seed=0
    )
    fitted_preparation.fit_transform(to_frame(rows_of(), FEATURES), rows_of()["label"].to_numpy(zero_copy_only=False))
    return fitted_preparation


def train_network(counted, preparation, folder, settings=SETTINGS, options=OPTIONS):
    return train(counted, preparation, options, settings, seed=3, storage=str(folder), held_out=counted)


@contextmanager
def in_this_process():
    """Trainings have one worker, and it is this process, as Ray Train can do: its own processes take long to start."""

    def alone(job, name, storage):
        here = TorchTrainer(train_worker, train_loop_config={"job": job}, scaling_config=ScalingConfig(num_workers=0))
        return trainer._result(here.fit().return_value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "_run_to_end", alone)
        yield


@pytest.fixture(scope="module")
def alone(counted, preparation, tmp_path_factory):
    with in_this_process():
        return train_network(counted, preparation, tmp_path_factory.mktemp("alone"), replace(SETTINGS, workers=1))


def command_of(process):
    """Nothing, where it has ended meanwhile."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def kill_a_worker_after_the_first_checkpoint(storage):
    """Ray's workers are children of its node's process, whose id any task can tell."""
    node = ray.get(ray.remote(lambda: os.getppid()).remote())  # noqa: PLW0108  (Ray takes no built-in function)

    def kill():
        wait_until(lambda: list(Path(storage).rglob(LISTED)), "no checkpoint has been completed")
        children = Path(f"/proc/{node}/task/{node}/children").read_text().split()
        workers = [one for one in children if b"RayTrainWorker" in command_of(one)]
        os.kill(int(workers[0]), signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()


def mark(storage):
    """Make the first epoch's loss 9 in the last checkpoint that is complete; nothing is reckoned from it."""
    listed = next(storage.rglob(LISTED)).read_text()
    file = next(candidate for candidate in storage.rglob(FILE) if candidate.parent.name in listed)
    with safe_open(file, framework="pt") as stored:
        metadata, tensors = stored.metadata(), {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    progress = json.loads(metadata["progress"])
    progress["losses"][0] = 9.0
    save_file(tensors, file, metadata=metadata | {"progress": json.dumps(progress)})


def kill_and_resume(counted, preparation, storage, settings=SETTINGS, options=OPTIONS):
    """A worker is killed after the first epoch; its checkpoint is marked, and the training asked for again."""
    kill_a_worker_after_the_first_checkpoint(storage)
    interrupt = signal.getsignal(signal.SIGINT)
    with pytest.raises(LearningError, match=r"failed 1 times(?s:.*)Asked for again, it goes on"):
        train_network(counted, preparation, storage, replace(settings, restarts=0), options)
    mark(storage)
    training = train_network(counted, preparation, storage, settings, options)
    assert signal.getsignal(signal.SIGINT) is interrupt
    return training


@pytest.fixture(scope="module")
def resumed(counted, preparation, tmp_path_factory):
    """Of two workers. Shared by what follows: workers take seconds to start."""
    return kill_and_resume(counted, preparation, tmp_path_factory.mktemp("resumed"))


def test_a_killed_training_goes_on_from_its_last_checkpoint(resumed):
    assert resumed.losses[0] == 9.0
    assert len(resumed.losses) == OPTIONS.epochs


def test_one_worker_and_two_give_the_same_losses_and_weights(alone, resumed):
    """At the same batch of all workers together, with dropout, a last step of uneven shares, and a kill between."""
    np.testing.assert_allclose(resumed.losses[1:], alone.losses[1:], rtol=0, atol=1e-5)
    np.testing.assert_allclose(resumed.held_out, alone.held_out, rtol=0, atol=1e-5)
    for name, array in alone.network.state.items():
        np.testing.assert_allclose(resumed.network.state[name], array, rtol=0, atol=1e-5, err_msg=name)


def test_the_loss_is_the_mean_over_all_rows_of_a_network_that_scores_like_any_other(alone, preparation):
    """The oracle: the loss held out of the kept network, by NumPy over the whole table at once."""
    inputs = preparation.transform(to_frame(rows_of(), FEATURES))
    label, chance = rows_of()["label"].to_numpy(zero_copy_only=False), alone.network.predict(inputs)
    loss = -np.log(np.where(label, chance, 1 - chance)).mean()
    assert alone.held_out[alone.best] == pytest.approx(loss, abs=1e-6)
    assert alone.held_out[-1] < alone.held_out[0]


def test_a_fit_prepares_on_a_sample_and_predicts_in_the_labels_own_units(tmp_path, ray_started):
    """Amounts around 1000, an embedded site, and rows that are wrong but weigh nothing."""
    rows = rows_of(400)
    amount = 1000 + 50 * rows["load"].to_numpy() + np.where(rows["site"].to_numpy() == "a", 30, 0)
    wrong = np.arange(400) % 4 == 0
    table = rows.set_column(3, "label", pa.array(np.where(wrong, amount + 200, amount))).append_column(
        "heft", pa.array(1.0 - wrong)
    )
    source = source_of(tmp_path, table, task=Task.REGRESSION, weight="heft")
    model = Model(Estimator.NETWORK, parameters={"batch_size": 32, "epochs": 4, "dropout": 0.0, "learning_rate": 0.06})
    alone = replace(SETTINGS, workers=1, sample_rows=100)
    with in_this_process():
        predictor = fit(model, source, alone, seed=1, storage=str(tmp_path / "checkpoints"))
    assert "embedding.1" in predictor.estimator.state
    assert np.abs(predictor.predict(rows) - amount).mean() < 10 < np.abs(amount - amount.mean()).mean()


def test_of_several_classes_the_network_has_an_output_for_each_that_there_are(tmp_path, ray_started):
    """Its loss is that of NumPy over all rows, balanced: each of the three classes weighs as much as another."""
    rows = rows_of(400)
    load = rows["load"].to_numpy()
    names = np.select([load < -1, load < 0.5], ["low", "middle"], "high")
    source = source_of(
        tmp_path,
        rows.set_column(3, "label", pa.array(names)),
        task=Task.MULTICLASS,
        classes=("low", "never", "middle", "high"),
    )
    parameters = {"batch_size": 32, "epochs": 4, "dropout": 0.0, "learning_rate": 0.06, "class_weight": "balanced"}
    model, results = Model(Estimator.NETWORK, parameters=parameters), []
    alone = replace(SETTINGS, workers=1, sample_rows=100)
    with in_this_process(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(distributed_fit, "train", lambda *one, **more: results.append(train(*one, **more)) or results[0])
        predictor = fit(model, source, alone, seed=1, storage=str(tmp_path / "checkpoints"), held_out=source)
    probabilities = predictor.predict(rows)
    assert (predictor.seen, predictor.classes) == ((0, 2, 3), source.classes)
    assert not probabilities[:, 1].any()
    numbers = np.array([source.classes.index(name) for name in names])
    assert (probabilities.argmax(axis=1) == numbers).mean() > 0.9
    of_rows = -np.log(probabilities[np.arange(400), numbers])
    loss = np.mean([of_rows[numbers == number].mean() for number in (0, 2, 3)])
    assert results[0].held_out[results[0].best] == pytest.approx(loss, abs=1e-5)


@given(
    groups=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    lanes_count=st.integers(1, 5),
    step=st.integers(1, 4),
    each=st.integers(1, 3),
)
def test_every_row_is_read_once_and_a_step_takes_equally_many_of_each_lane(groups, lanes_count, step, each):
    """The oracle: all rows in a list, cut by hand."""
    numbered = [Group(0, number, rows) for number, rows in enumerate(groups)]
    every = [(group.number, row) for group in numbered for row in range(group.rows)]
    lanes_ = [
        [(part.group.number, row) for piece in lane for part in piece.slices for row in range(part.start, part.stop)]
        for lane in cut_pieces(numbered, lanes_count, step * each)
    ]
    assert [row for lane in lanes_ for row in lane] == every
    sizes = [len(lane) for lane in lanes_]
    assert sizes == lane_sizes(len(every), lanes_count)
    assert max(sizes) - min(sizes) <= 1
    assert all(
        piece.rows == step * each for lane in cut_pieces(numbered, lanes_count, step * each) for piece in lane[:-1]
    )
    by_hand = [sum(len(lane[at : at + step]) for lane in lanes_) for at in range(0, max(sizes), step)]
    assert steps(sizes, step) == by_hand


def test_workers_share_out_the_lanes():
    assert [list(lanes_of_worker(5, worker, 2)) for worker in range(2)] == [[0, 2, 4], [1, 3]]


def test_a_row_group_order_belongs_to_its_seed_and_epoch():
    groups = [Group(0, number, 1) for number in range(20)]
    orders = [epoch_order(groups, *epoch) for epoch in [(1, 0), (1, 0), (1, 1), (2, 0)]]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2] != orders[3] != orders[0]
    assert sorted(orders[0], key=lambda group: group.number) == groups


def test_a_stream_gives_every_row_once_prepared_with_its_label_in_an_order_of_its_epoch(counted, preparation):
    """The table is partitioned by date, which is no column of its files; the load tells the rows apart."""
    stream = put_stream(Stream(counted.source, preparation, (0.0, 1.0), (1.0, 3.0)), 120.0)
    pieces = [piece for lane in cut_pieces(counted.census.groups, 2, 200) for piece in lane]
    first, again, other = (list(stream_pieces(stream, pieces, shuffle)) for shuffle in [(0, 0), (0, 0), (0, 1)])
    rows = rows_of()
    inputs = preparation.transform(to_frame(rows, FEATURES)).astype(np.float32)
    label = rows["label"].to_numpy(zero_copy_only=False).astype(np.float32)
    expected = np.column_stack([inputs, label, np.where(label == 1, 3, 1)])
    streamed = np.concatenate([np.column_stack([one["inputs"], one["label"], one["weight"]]) for one in first])
    np.testing.assert_array_equal(streamed[np.argsort(streamed[:, 0])], expected[np.argsort(expected[:, 0])])
    assert [len(one["label"]) for one in first] == [piece.rows for piece in pieces]
    assert all((one["inputs"] == two["inputs"]).all() for one, two in zip(first, again, strict=True))
    assert not all((one["inputs"] == two["inputs"]).all() for one, two in zip(first, other, strict=True))


def read_in_pieces(source, lanes, piece_rows):
    """The table's rows, out of its only file and row group."""
    (group,) = census_of(source, 0).groups
    return pa.concat_tables([read(source, piece) for lane in cut_pieces([group], lanes, piece_rows) for piece in lane])


def test_the_pieces_of_a_large_row_group_are_its_labelled_rows_in_order(tmp_path):
    """One that is decoded in four parts, the second of them without a label. The oracle is the table itself."""
    place = np.arange(3 * BATCH_ROWS + 5)
    unlabelled = (place // BATCH_ROWS == 1) | (place % 7 == 0)
    label, site = pa.array(place % 3 == 0, mask=unlabelled), np.where(place % 2, "a", "b")
    rows = pa.table({"label": label, "load": place.astype(float), "site": site})
    assert read_in_pieces(source_of(tmp_path, rows), 2, 10_000).equals(rows.filter(~unlabelled))


def test_a_page_that_a_damaged_header_leaves_out_is_not_left_out(tmp_path):
    """Its type is another one: the reader of batches takes the page for one that it need not know."""
    source = source_of(tmp_path, rows_of(1_000))
    (file,) = tmp_path.rglob("*.parquet")
    flip(file, first_page(file, source.label) + 1, 5)
    with pytest.raises(TableError, match=rf"Table rows at .*: the data file {file.name} is damaged"):
        census_of(source, 0)


def test_a_column_that_came_later_is_null_in_older_files_and_a_type_that_was_widened_is_the_tables(tmp_path):
    """Neither is written into the old file: it is read as the table's schema says."""
    older = pa.table({"label": [True, False, True], "load": pa.array([1, 2, 3], pa.int32())})
    source = source_of(tmp_path, older, features=(FeatureColumn("load", "number"),))
    wider = pa.schema([("label", pa.bool_()), ("load", pa.int64()), ("site", pa.string())])
    newer = replace(source, snapshot=replace(source.snapshot, schema=wider), features=FEATURES)
    expected = {"label": [True, False, True], "load": [1, 2, 3], "site": [None, None, None]}
    assert read_in_pieces(newer, 1, 2).equals(pa.table(expected, wider))


def test_rows_without_a_label_do_not_count_and_a_feature_may_be_the_partition(tmp_path, ray_started):
    rows = pa.table({"label": [1.5, None, 2.5, 4.0], "load": [1.0, 2.0, 3.0, None], "day": [7, 7, 8, 8]})
    features = (FeatureColumn("load", "number"), FeatureColumn("day", "number"))
    source = source_of(tmp_path, rows, partition_by=["day"], features=features, task=Task.REGRESSION)
    counts = count(source, 120.0)
    assert (counts.census.rows, counts.census.weight) == (3, 3.0)
    assert counts.census.mean == pytest.approx(8 / 3)
    assert counts.census.variance == pytest.approx(np.var([1.5, 2.5, 4.0]))
    drawn = sample(counts, 100, seed=0).sort_by("label").to_pydict()
    assert drawn == {"label": [1.5, 2.5, 4.0], "load": [1.0, 3.0, None], "day": [7, 8, 8]}


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("label", [True, True, None], r"All 2 rows of table rows, version 0 have label = True"),
        ("label", [None, None, None], r"No row of table rows, version 0 has a value in label"),
        ("label", [0, 1, 2], r"Column label of table rows, version 0 holds 2.0: expected a boolean, or 0 or 1"),
        ("label", ["a", "b", "c"], r"Column label .* holds string: expected a column of booleans or numbers"),
        ("heft", [1.0, -1.0, 1.0], r"Column heft .* holds -1.0: expected 0 or more"),
        ("heft", [1.0, None, 1.0], r"Column heft .* holds nan: expected a finite number in every labelled row"),
        ("heft", [0.0, 0.0, 0.0], r"The weights of table rows, version 0 \(heft\) add up to nothing"),
    ],
)
def test_labels_and_weights_that_cannot_be_used_are_refused_before_anything_starts(
    column, values, message, tmp_path, ray_started, preparation
):
    rows = {"load": [1.0, 2.0, 3.0], "site": ["a", "a", "b"], "label": [True, False, True], "heft": [1.0, 1.0, 1.0]}
    kind = pa.bool_() if column == "label" and values[-1] is None else None
    table = pa.table(rows).drop_columns([column]).append_column(column, pa.array(values, kind))
    with pytest.raises(LearningError, match=message):
        train_network(count(source_of(tmp_path, table, weight="heft"), 120.0), preparation, tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": "late"}, r"Table rows, version 0 differs from what is to be learned:\n  missing: late"),
        ({"features": (FeatureColumn("site", "number"),)}, r"changed: site is category, expected number"),
        ({"task": Task.RANKING}, "A ranking cannot be trained by several workers"),
        ({"task": Task.MULTICLASS}, r"A multiclass of the classes \(\): multiclass has some, others none"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(changed, message, tmp_path):
    with pytest.raises(LearningError, match=message):
        source_of(tmp_path, rows_of(9), **changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"worker_cpus": 1.0}, r"2 workers with 1 processors each leave none of Ray's 2 to read their data"),
        ({"lanes": 3}, r"batch_size 64 cannot be shared by 3 lanes"),
    ],
)
def test_settings_without_room_are_refused_before_anything_starts(changed, message, counted, preparation, tmp_path):
    with pytest.raises(LearningError, match=message):
        train_network(counted, preparation, tmp_path, replace(SETTINGS, **changed))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_workers_without_a_gpu_each_are_refused_before_anything_starts(counted, preparation, tmp_path):
    with pytest.raises(LearningError, match=r"2 workers need a GPU each, Ray has 0"):
        train_network(counted, preparation, tmp_path, options=replace(OPTIONS, gpu=True))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"estimator": Estimator.LOGISTIC}, "estimator logistic: only network can be"),
        ({"estimator": Estimator.VOTING, "members": ["one", "two"]}, "estimator voting: only network can be"),
        ({"calibration": Calibration.PLATT}, "calibration and target encoding need out-of-fold predictions"),
        ({"imbalance": Imbalance(ImbalanceKind.SMOTE)}, "imbalance smote: give the parameter class_weight=balanced"),
    ],
)
def test_a_model_that_needs_its_rows_in_memory_is_refused(changed, message, source, tmp_path):
    with pytest.raises(LearningError, match=message):
        fit(replace(Model(Estimator.NETWORK), **changed), source, SETTINGS, seed=0, storage=str(tmp_path))


def test_infinite_values_and_a_vacuumed_file_are_told_out_of_the_stream(tmp_path, ray_started, preparation):
    """A stated error keeps its type and words on the way out of Ray Data."""
    rows = rows_of(20).set_column(1, "load", pa.array([float(row) if row != 15 else np.inf for row in range(20)]))
    counts = count(source_of(tmp_path, rows), 120.0)
    stream = put_stream(Stream(counts.source, preparation, (0.0, 1.0), (1.0, 1.0)), 120.0)
    pieces = cut_pieces(counts.census.groups, 1, 8)[0]
    with pytest.raises(LearningError, match=r"Infinite values in load of table rows, version 0, in .*\.parquet"):
        list(stream_pieces(stream, pieces, None))
    for file in counts.source.snapshot.files:
        (Path(counts.source.snapshot.folder) / file.path).unlink()
    with pytest.raises(TableError, match=r"the data file .* is gone"):
        list(stream_pieces(stream, pieces, None))


def test_a_stream_that_runs_dry_becomes_an_error_that_says_what_to_do(ray_started):
    def items():
        yield 1
        over.wait(PATIENCE)

    over = threading.Event()
    stream = watch(items(), 1.0, "rows")
    assert next(stream) == 1
    with pytest.raises(LearningError, match=r"No rows of table rows came for 1 s: .* Ray's 2 processors"):
        next(stream)
    over.set()


def test_nobody_counts_where_every_processor_is_taken(source, ray_started):
    """Somebody else's actor holds both of Ray's processors."""

    class Occupant:  # made here, it is pickled whole: Ray's workers cannot import a test's module
        def begin(self):
            """Answers once the actor has its processors."""

    holder = ray.remote(num_cpus=2)(Occupant).remote()
    try:
        ray.get(holder.begin.remote(), timeout=PATIENCE)
        wait_until(lambda: not ray.available_resources().get("CPU"), "Ray counts the actor's processors as free")
        with pytest.raises(LearningError, match=r"0 of Ray's 2 processors are free .* Leave at least one"):
            count(source, 0.5)
    finally:
        ray.kill(holder)


def test_the_best_epoch_is_the_one_with_the_least_finite_loss_held_out():
    progress = Progress()
    for loss in (np.nan, 0.5, 0.7, 0.4, 0.6):
        progress = progress.after(1.0, loss)
    assert (progress.best, progress.stale) == (3, 1)
    assert Progress().after(1.0, np.nan).best == -1
    assert Progress().after(1.0, None).after(0.9, None).best == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine: nccl and half precision need one")
def test_a_gpu_gives_about_what_a_processor_gives(counted, preparation, alone, tmp_path):
    """Reckoned in half precision, its losses are near, not equal, with a kill between."""
    one, on_gpu = replace(SETTINGS, workers=1), replace(OPTIONS, gpu=True)
    training = kill_and_resume(counted, preparation, tmp_path, one, on_gpu)
    assert training.losses[0] == 9.0
    np.testing.assert_allclose(training.losses[1:], alone.losses[1:], rtol=0.02)
