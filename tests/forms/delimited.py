"""Delimited text: columns, numbers, ids and names as a contract can say them.

Belongs here: CSV and columns between blanks. Does not belong here: JSON lines (`records`), what a file
is packed in (`containers`).
"""

from tests.forms import Form, Outcome

READ, REFUSED = Outcome.READ, Outcome.REFUSED
COLUMNS, NUMBERS, MAPPINGS = "Delimited text", "Numbers in text", "Mappings"
HEAD = "kind: events\nproduct: PRODUCT\nclock: server\nunknown_events: accept\n"
ENVELOPE = "envelope: {event_name: {constant: sale}, occurred_at: at, user_id: u%s}\n"
REST = "properties: {path: null, rest: keep}\n"
NUMBER = "properties: {path: null, fields: {n: {path: n, type: %s}}}\n"


def contract(form: str = "type: csv", envelope: str = "", properties: str = REST) -> str:
    """A contract of sales; `envelope` are further fields of it."""
    return HEAD + f"format: {{{form}}}\n" + ENVELOPE % envelope + properties


def text(
    name: str, group: str, body: str, said: str, outcome: Outcome = READ, sentence: str = "",
    rows: tuple[dict[str, str | None], ...] = (), encoding: str = "utf-8",
) -> Form:  # fmt: skip
    """A form that is one file of text."""
    files = {"events/PRODUCT/a.csv": body.encode(encoding)}
    return Form(name, group, "events", files, said, outcome, sentence, rows)


def number(
    name: str, written: str, stored: str | None, kind: str = "number", form: str = ""
) -> Form:
    """A number of a row, as it is stored; None: it is refused."""
    body = f"at;u;n\n2026-03-01;u1;{written}\n"
    said = contract(f"type: csv, delimiter: ';'{form}", properties=NUMBER % kind)
    if stored is None:
        return text(
            name, NUMBERS, body, said, REFUSED, "'n' of 'sale' is a text; its contract says"
        )
    return text(name, NUMBERS, body, said, rows=({"properties.n": stored},))


ROW = "2026-03-01,u1,x\n"
SALES = "at,u,num,q\n2026-03-01,u1,536365,6\n2026-03-01,u1,C536379,-1\n2026-03-01,u1,POST,1\n"
TWICE = "at,u,num\n2026-03-01,u1,7\n2026-03-01,u1,7\n"
COMMAS = ", decimal: ',', thousands: '.'"

FORMS = (
    text("the first line names the columns", COLUMNS, "at,u,note\n" + ROW, contract(),
         rows=({"user_source_id": "u1", "properties.note": "x"},)),
    text("the contract names the columns", COLUMNS, ROW,
         contract("type: csv, columns: [at, u, note]"), rows=({"properties.note": "x"},)),
    text("the contract names them, and a header is to be passed over", COLUMNS, "a,b,c\n" + ROW,
         contract("type: csv, columns: [at, u, note], header: true"),
         rows=({"properties.note": "x"},)),
    text("a column that is named twice", COLUMNS, "at,u,note,note\n2026-03-01,u1,x,y\n", contract(),
         REFUSED, "The header names a column twice."),
    text("a row with more columns than the header", COLUMNS, "at,u,note\n2026-03-01,u1,x,y\n",
         contract(), REFUSED, "The line has 4 columns; 3 are declared."),
    text("a quoted field that goes over two lines", COLUMNS, 'at,u,note\n2026-03-01,u1,"x\ny"\n',
         contract(), rows=({"properties.note": "x\ny"},)),
    text("columns between blanks, named by the first line", COLUMNS, "at u\n2026-03-01  u1\n",
         contract("type: whitespace"), rows=({"user_source_id": "u1"},)),
    text("windows-1252, as the contract says", COLUMNS, "at,u,note\n2026-03-01,u1,é\n",
         contract("type: csv, encoding: cp1252"), rows=({"properties.note": "é"},),
         encoding="cp1252"),
    text("bytes that are not the encoding", COLUMNS, "at,u,note\n2026-03-01,u1,é\n", contract(),
         REFUSED, "Byte 15 is not utf-8.", encoding="cp1252"),
    number("a whole number of 64 bits", "9007199254740993", "9007199254740993"),
    number("a decimal point", "12.50", "12.5"),
    number("a decimal comma, as the contract says", "1.234,50", "1234.5", form=COMMAS),
    number("a decimal comma of which the contract says nothing", "12,50", None),
    number("thousands that are no groups of three", "12.34", None, form=COMMAS),
    number("1_000", "1_000", None, "integer"),
    number("0x10", "0x10", None, "integer"),
    number("3.0 where a whole number is due", "3.0", "3", "integer"),
    number("3.5 where a whole number is due", "3.5", None, "integer"),
    text("date and time in two columns", MAPPINGS, "day,hour,u\n2026-03-01,10:30,u1\n",
         contract().replace("occurred_at: at", "occurred_at: {path: [day, hour], join: ' '}"),
         rows=({"occurred_at": "2026-03-01 10:30:00+00"},)),
    text("13085.0 and 13085 as one user (`type: integer`)", MAPPINGS,
         "at,u\n2026-03-01,13085.0\n2026-03-02,13085\n",
         contract().replace("user_id: u", "user_id: {path: u, type: integer}"),
         rows=({"user_source_id": "13085"}, {"user_source_id": "13085"})),
    text("equal rows without an id: each is an event", MAPPINGS, TWICE, contract(),
         rows=({"properties.num": "7"}, {"properties.num": "7"})),
    text("equal rows with the content as id: one event", MAPPINGS, TWICE,
         contract(envelope=", event_id: {content: true}"), rows=({"properties.num": "7"},)),
    text("an id of several columns", MAPPINGS, TWICE,
         contract(envelope=", event_id: {path: [at, u, num], join: '|'}"),
         rows=({"source_event_id": "2026-03-01|u1|7"},)),
    text("a name by a pattern, and rows that are to be skipped", MAPPINGS, SALES,
         contract(properties=REST + "skip: [{path: num, matches: '^[A-Z]+$'}]\n").replace(
             "{constant: sale}",
             "{cases: [{path: num, matches: '^C', then: cancellation}], constant: sale}"),
         rows=({"event_name": "cancellation", "properties.q": "-1"},
               {"event_name": "sale", "properties.q": "6"})),
    text("a country that is no code", MAPPINGS, "at,u,land\n2026-03-01,u1,Norway\n",
         contract(envelope=", country_code: land"), Outcome.KEPT_ASIDE,
         "envelope country_code unplaced_value",
         ({"country_code": None, "properties.country_code": "Norway"},)),
)  # fmt: skip
