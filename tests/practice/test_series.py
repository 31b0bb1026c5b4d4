"""The figures behind the pictures."""

from bot.practice.series import Recorder, percentile_ms


def test_series_has_no_gaps_and_leaves_out_the_running_second() -> None:
    """A second without requests is a point with none, not a missing point."""
    recorder = Recorder(["payments", "social"])
    recorder.record("payments", "ok", at=100.2, seconds=0.05)
    recorder.record("payments", "error", at=102.9, seconds=0.001)
    recorder.record("payments", "ok", at=103.0, seconds=0.05)
    series = recorder.series(300, now=103.5)
    assert [(p["t"], p["requests"], p["errors"]) for p in series["payments"]] == [
        (100, 1, 0),
        (101, 0, 0),
        (102, 1, 1),
    ]
    assert series["social"] == []


def test_a_shed_request_is_an_error_that_was_decided() -> None:
    """Users count both; whoever reads the picture can tell them apart."""
    recorder = Recorder(["social"])
    recorder.record("social", "shed", at=5.0, seconds=0.001)
    (point,) = recorder.series(1, now=6.0)["social"]
    assert (point["errors"], point["shed"], point["p95_ms"]) == (1, 1, None)


def test_percentiles_are_nearest_rank() -> None:
    """The 95th of a hundred is the 95th."""
    assert percentile_ms([n / 1000 for n in range(1, 101)], 95) == 95.0
    assert percentile_ms([], 50) is None
