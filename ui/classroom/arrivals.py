"""Who came together, as far as a room can tell. Pure, and for a teacher to judge: a whole school may share one network.

No streamlit here.
"""

from collections.abc import Iterable

from ui.classroom.room import Student

WITHIN = 60
"""Seconds between the first and the last of those who came together."""
MANY = 5
"""Fewer are nothing to speak of."""


def arrivals(students: Iterable[Student]) -> list[list[Student]]:
    """Many who joined from one network within a minute in a list of their own, everybody else alone in one.

    students: in the order of joining, which these lists keep.
    """
    together: list[list[Student]] = []
    latest: dict[str, list[Student]] = {}
    for student in students:
        last = latest.get(student.network)
        if student.network and last and 0 <= student.at - last[0].at <= WITHIN:
            last.append(student)
        else:
            latest[student.network] = [student]
            together.append(latest[student.network])
    found = [each for one in together for each in ([one] if len(one) >= MANY else [[student] for student in one])]
    return sorted(found, key=lambda each: each[0].number)
