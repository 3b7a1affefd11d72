"""A planning session: edits and the way back, saving, a file that changed meanwhile, and edits that come back."""

from __future__ import annotations

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from rotator.errors import InputError, UnsafeError
from rotator.files.store import hold
from rotator.model.edits import Change, Insert, Remove, SetValue
from rotator.simulate.rotation import Rotation
from rotator.workflows import editing, journal
from rotator.workflows import session as sessions
from rotator.workflows.opening import open_policy
from rotator.workflows.session import Session
from tests.desk import BASE, NOW, TODAY, Desk, app

TEXT = "# mine\n" + BASE + app("shop")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def session(desk: Desk) -> Session:
    return sessions.start(desk.policy(TEXT), NOW)


def named(session: Session, form: str, **values: str) -> Session:
    answers = {name.replace("_", "-").strip("-"): value for name, value in values.items()}
    return sessions.make(session, editing.make(editing.form_of(form), session.picture, answers, NOW))


def with_key(session: Session, name: str = "c") -> Session:
    return named(session, "add-key", name=name, from_="c.csr")


def with_event(session: Session, event: str = "key-loss:b") -> Session:
    return named(session, "add-event", event=event, date="2027-01-01")


def text_of(session: Session) -> str:
    return Path(session.file).read_text()


# --- edits and history ------------------------------------------------------------------------------------------------


def test_edits_are_taken_back_and_made_again_byte_for_byte(session: Session) -> None:
    one = with_key(session)
    two = with_event(one)
    assert sessions.undo(two).text == one.text
    assert sessions.undo(sessions.undo(two)).text == session.text
    assert sessions.redo(sessions.undo(two)).text == two.text


def test_the_history_goes_to_any_point_and_a_new_edit_ends_what_was_taken_back(session: Session) -> None:
    two = with_event(with_key(session))
    start = sessions.go(two, 0)
    assert (start.text, len(start.future), start.dirty) == (session.text, 2, False)
    assert sessions.go(start, 2).text == two.text
    assert with_event(start, "key-loss:a").future == ()


def test_an_edit_that_the_policy_could_not_be_used_with_changes_nothing(session: Session) -> None:
    wrong = Rotation(change=Change("wrong", (SetValue(("keys", "a", "status"), "sleeping"),)), pinsets=())
    with pytest.raises(InputError, match="sleeping"):
        sessions.make(session, wrong)


def test_undo_and_redo_where_there_is_nothing_do_nothing(session: Session) -> None:
    assert sessions.undo(session) is session
    assert sessions.redo(session) is session


# --- saving -----------------------------------------------------------------------------------------------------------


def test_saving_keeps_comments_and_the_old_file_and_edits_can_still_be_taken_back(session: Session) -> None:
    saved = sessions.save(with_key(session))
    assert text_of(saved).startswith("# mine\n")
    assert 'c = { csr = "c.csr" }' in text_of(saved)
    kept = list((Path(session.file).parent / "policy.rotator" / "replaced").iterdir())
    assert [path.read_bytes() for path in kept] == [session.text]
    assert not saved.dirty
    back = sessions.undo(saved)
    assert back.dirty
    assert [rotation.change.title for rotation in back.pending] == ["take back: add key c"]
    assert text_of(sessions.save(back)) == TEXT


def test_only_what_was_done_since_saving_is_pending(session: Session) -> None:
    session = with_event(sessions.save(with_key(session)))
    assert [rotation.change.title for rotation in session.pending] == ["add key-loss:b to the calendar"]


def test_a_file_that_changed_meanwhile_is_never_written_over(session: Session) -> None:
    edited = with_key(session)
    Path(session.file).write_text(TEXT + "# theirs\n")
    assert sessions.changed_on_disk(edited)
    with pytest.raises(InputError, match="changed since"):
        sessions.save(edited)
    assert text_of(session) == TEXT + "# theirs\n"


def test_edits_are_made_again_on_top_of_what_somebody_else_wrote(session: Session) -> None:
    edited = with_key(session)
    Path(session.file).write_text(TEXT + "# theirs\n")
    again = sessions.reread(edited, NOW)
    assert again.text.decode().endswith("# theirs\n")
    assert 'c = { csr = "c.csr" }' in again.text.decode()
    assert text_of(sessions.save(again)) == again.text.decode()


def test_a_place_that_somebody_else_changed_too_is_named_and_the_own_text_can_be_kept(session: Session) -> None:
    edited = with_key(named(session, "retire-key", key="b", status="lost"))
    theirs = TEXT.replace("proved = 2026-11-01 }\n[auth", 'proved = 2026-11-02, status = "compromised" }\n[auth')
    Path(session.file).write_text(theirs)
    with pytest.raises(InputError, match="mark b lost: somebody else changed this too") as told:
        sessions.reread(edited, NOW)
    assert [problem.path for problem in told.value.problems] == ["keys.b.status"]
    kept = sessions.keep_mine(edited)
    assert kept.read_bytes() == edited.text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert text_of(session) == theirs


def test_a_row_that_moved_in_its_list_is_not_mistaken_for_another(desk: Desk) -> None:
    rows = '[[exports]]\npinset = "p"\nfiles = { okhttp = "one.json" }\n'
    session = sessions.start(desk.policy(TEXT + rows), NOW)
    edit = SetValue(("exports", 0, "pinset"), "q")
    made = named(session, "add-pinset", name="q", primary="b")
    made = sessions.make(made, Rotation(change=Change("export q", (edit,)), pinsets=()))
    Path(session.file).write_text(TEXT + rows.replace("one", "other") + rows)
    with pytest.raises(InputError, match="export q"):
        sessions.reread(made, NOW)


def test_overwriting_on_purpose_keeps_what_was_there(session: Session) -> None:
    edited = with_key(session)
    Path(session.file).write_text(TEXT + "# theirs\n")
    assert not sessions.save_over(edited).dirty
    kept = [p.read_text() for p in (Path(session.file).parent / "policy.rotator" / "replaced").iterdir()]
    assert kept == [TEXT + "# theirs\n"]


def test_an_unsafe_edit_is_not_saved(desk: Desk) -> None:
    session = sessions.start(desk.policy(TEXT), NOW)
    gone = named(session, "retire-key", key="a", status="destroyed")
    with pytest.raises(UnsafeError, match="a is served by api"):
        sessions.save(gone)
    assert text_of(session) == TEXT


# --- the journal ------------------------------------------------------------------------------------------------------


def left_of(session: Session) -> list[journal.Left]:
    found, problems = journal.left_behind(sessions.start(session.file, NOW))
    assert problems == []
    return found


def abandoned(session: Session, edited: Session) -> journal.Journal:
    """Keep the edits as a planner does that dies then."""
    kept = journal.Journal(session.file, NOW)
    kept.keep(edited, NOW)
    assert kept._lock is not None
    os.close(kept._lock)
    return kept


def test_edits_left_behind_come_back_one_by_one_with_their_names(session: Session) -> None:
    edited = with_event(with_key(session))
    abandoned(session, edited)
    [left] = left_of(session)
    assert [rotation.change.title for rotation in left.edits] == ["add key c", "add key-loss:b to the calendar"]
    again = journal.restore(sessions.start(session.file, NOW), left)
    assert again.text == edited.text
    assert sessions.undo(again).text == with_key(session).text
    journal.discard(left)
    assert left_of(session) == []


def test_the_journal_is_its_owners_alone(session: Session) -> None:
    kept = abandoned(session, with_key(session))
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.folder.stat().st_mode) == 0o700


def test_nothing_is_offered_of_a_planner_that_lives(session: Session) -> None:
    living = journal.Journal(session.file, NOW)
    living.keep(with_key(session), NOW)
    assert left_of(session) == []
    assert journal.others_open(session) == 1
    living.forget()
    assert not living.folder.exists()


def test_saving_and_taking_back_clear_the_journal(session: Session) -> None:
    kept = journal.Journal(session.file, NOW)
    edited = with_key(session)
    kept.keep(edited, NOW)
    assert kept.path.exists()
    kept.keep(sessions.undo(edited), NOW)
    assert not kept.path.exists()


def test_edits_that_the_policy_holds_by_now_are_not_offered(session: Session) -> None:
    edited = with_key(session)
    abandoned(session, edited)
    sessions.save(edited)
    assert left_of(session) == []


def test_a_newer_policy_is_never_lost_to_edits_that_come_back(session: Session) -> None:
    abandoned(session, with_key(session))
    Path(session.file).write_text(TEXT + "# newer\n")
    [left] = left_of(session)
    assert not left.same
    again = journal.restore(sessions.start(session.file, NOW), left)
    assert again.text.decode().endswith("# newer\n")
    assert 'c = { csr = "c.csr" }' in again.text.decode()


def test_the_text_of_an_editor_comes_back_where_the_policy_is_the_same_and_is_named_where_it_is_not(
    session: Session,
) -> None:
    edited = sessions.make_text(session, session.text + b"# by hand\n", "edit the text")
    abandoned(session, edited)
    [left] = left_of(session)
    assert journal.restore(sessions.start(session.file, NOW), left).text == edited.text
    Path(session.file).write_text(TEXT + "# newer\n")
    [left] = left_of(session)
    with pytest.raises(InputError, match="edit the text"):
        journal.restore(sessions.start(session.file, NOW), left)
    assert left.path.exists()


def test_an_unsafe_edit_is_still_unsafe_when_it_comes_back(session: Session) -> None:
    gone = named(session, "retire-key", key="a", status="destroyed")
    by_hand = sessions.make_text(gone, gone.text + b"# by hand\n", "edit the text")
    abandoned(session, by_hand)
    [left] = left_of(session)
    assert journal.restore(sessions.start(session.file, NOW), left).unsafe == ("a is served by api",)


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"[]", b'{"schema": 9}', b'{"schema": 1, "steps": [{"title": 3}]}', b"\xff\xfe", b"nul\0"]
)
def test_a_journal_that_cannot_be_read_is_named_and_left_alone(session: Session, broken: bytes) -> None:
    kept = abandoned(session, with_key(session))
    kept.path.write_bytes(broken)
    found, problems = journal.left_behind(session)
    assert found == []
    assert str(kept.path) in str(problems[0])
    assert kept.path.read_bytes() == broken


def test_every_kind_of_edit_survives_the_journal(session: Session) -> None:
    edits = (
        SetValue(("a", 1), {"d": TODAY, "t": NOW, "n": [1, 2.5, True, "x"]}, inline=True),
        Insert(("rows", 0), {"k": "v"}),
        Remove(("a", "b")),
    )
    for edit in edits:
        assert journal._edit(json.loads(json.dumps(journal._edit_to_json(edit)))) == edit


def test_a_folder_that_cannot_be_written_is_said(session: Session, tmp_path: Path) -> None:
    (tmp_path / "policy.rotator").write_text("a file in the way")
    with pytest.raises(InputError, match="cannot be written"):
        journal.Journal(session.file, NOW).keep(with_key(session), NOW)


def test_a_lock_goes_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "side" / "x.lock"
    handle = hold(lock)
    with pytest.raises(InputError, match="another Rotator"):
        hold(lock)
    os.close(handle)
    os.close(hold(lock))


# --- killed at any moment ---------------------------------------------------------------------------------------------

WORKER = """
import sys
from datetime import timedelta
from rotator.model.edits import Change, SetValue
from rotator.model.when import parse_instant
from rotator.simulate.rotation import Rotation
from rotator.workflows import journal
from rotator.workflows import session as sessions

now = parse_instant("2026-11-23T09:00Z")
session = sessions.start(sys.argv[1], now)
kept = journal.Journal(session.file, now)
for number in range(10_000):
    edit = SetValue(("keys", "a", "custody"), f"safe-{number}" + "x" * 20_000)
    session = sessions.make(session, Rotation(change=Change(f"edit {number}", (edit,)), pinsets=()))
    kept.keep(session, now)
    print(number, flush=True)
    if number % 3 == 2:
        session = sessions.save(session)
        kept.keep(session, now)
        print("saved", flush=True)
"""


@pytest.mark.parametrize("seed", range(6))
def test_a_planner_killed_at_any_moment_leaves_whole_files_and_every_confirmed_edit(desk: Desk, seed: int) -> None:
    """A real process edits and saves without pause and is killed by SIGKILL at a random moment."""
    file = desk.policy(TEXT)
    process = subprocess.Popen([sys.executable, "-c", WORKER, file], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().strip()]
    time.sleep(random.Random(seed).uniform(0, 0.6))  # noqa: S311 - a moment
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()
    process.stdout.close()
    process.wait()
    numbers = [int(word) for word in said if word.isdigit()]
    last = numbers[-1]
    open_policy(file, TODAY)
    fresh = sessions.start(file, NOW + timedelta(minutes=1))
    left, problems = journal.left_behind(fresh)
    assert problems == []
    texts = [journal.restore(fresh, one).text.decode() for one in left] + [fresh.text.decode()]
    # What was confirmed is there, or one edit more that was just being kept.
    assert any(f"safe-{number}x" in text for number in (last, last + 1) for text in texts)
    names = [path.name for path in desk.folder.iterdir() if path.name.startswith(".")]
    sessions.save(with_event(fresh))
    assert not [path.name for path in desk.folder.iterdir() if path.name.startswith(".policy")], names
