from concurrent.futures import ThreadPoolExecutor

from reco_app.engine import direct
from tests.reco_app.engine.logs import model_of, random_log

MODEL = model_of(random_log(7, sessions=20, items=10), 10)


def test_each_thread_asks_with_memory_of_its_own_and_keeps_it():
    with ThreadPoolExecutor(1) as elsewhere:
        theirs = [elsewhere.submit(direct.to, MODEL).result() for _ in range(2)]

    ours = [direct.to(MODEL) for _ in range(2)]

    assert theirs[0] is theirs[1]
    assert ours[0] is ours[1]
    assert ours[0] is not theirs[0]
