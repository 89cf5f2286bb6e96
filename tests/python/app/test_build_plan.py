"""What is due after each kind of change, on this project's own manifest and a warehouse that is only thought.

Belongs here: the arithmetic of `app.build_plan`. Does not belong here: dbt and the database
(tests/end_to_end/test_hourly_runs.py).
"""

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import build_plan
from app.build_plan import INSTANT, TENANT_DATES, UTC_DATE, Plan, Project, State
from orchestration.dbt_project import manifest
from tallyhouse.settings import PROJECT_ROOT

ENGAGEMENT = ("models/marts/engagement/", "models/intermediate/engagement/")


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    return manifest()


@pytest.fixture(scope="module")
def project(parsed: dict[str, Any]) -> Project:
    return Project(parsed, PROJECT_ROOT)


@pytest.fixture
def changed(parsed: dict[str, Any]) -> Callable[..., Project]:
    """The project after an edit of one node's entry in the manifest."""

    def change(section: str, node_id: str, **fields: Any) -> Project:
        edited = {**parsed, section: dict(parsed[section])}
        edited[section][node_id] = {**deepcopy(parsed[section][node_id]), **fields}
        return Project(edited, PROJECT_ROOT)

    return change


def built(project: Project) -> State:
    """A warehouse in which everything was built once."""
    state = State(
        versions=dict.fromkeys(project.sources, "1"),
        as_of={INSTANT: "1", TENANT_DATES: "1", UTC_DATE: "1"},
        held={},
        relations=set(),
    )
    plan = Plan(project, state)
    for node_id in project.nodes:
        record(plan, node_id)
    return state


def record(plan: Plan, node_id: str, rows: str = "as before") -> None:
    compared = node_id in plan.project.compared
    assert plan.record(node_id, rows=rows if compared else None, in_full=True), node_id


def after(state: State, project: Project, *sources: str, as_of: tuple[str, ...] = ()) -> State:
    """The same warehouse when these sources (`schema.table`) and moments have moved on."""
    by_table = {f"{s['schema']}.{s['identifier']}": key for key, s in project.sources.items()}
    return replace(
        state,
        versions={**state.versions, **{by_table[name]: "2" for name in sources}},
        as_of={**state.as_of, **dict.fromkeys(as_of, "2")},
        held=dict(state.held),
        relations=set(state.relations),
    )


def names(project: Project, ids: Any) -> set[str]:
    return {project.nodes[node_id].name for node_id in ids}


def of_engagement(project: Project, ids: Any) -> set[str]:
    nodes = (project.nodes[node_id] for node_id in ids)
    return {node.name for node in nodes if node.path.startswith(ENGAGEMENT)}


def model(name: str) -> str:
    return f"model.tallyhouse.{name}"


def reads(project: Project, node_id: str) -> set[str]:
    """A node with all that reads it, by the edges alone, and what looks at all that is built."""
    return {node_id, *project.after([node_id]), *looks_at_everything(project)}


def looks_at_everything(project: Project) -> set[str]:
    return {node.node_id for node in project.nodes.values() if node.reads_everything}


def test_nothing_is_due_when_nothing_changed(project: Project) -> None:
    assert Plan(project, built(project)).due() == {}


def test_an_empty_warehouse_is_due_as_a_whole_in_one_wave(project: Project) -> None:
    plan = Plan(project, State(dict.fromkeys(project.sources, ""), built(project).as_of, {}, set()))
    assert plan.due().keys() == project.nodes.keys()
    assert plan.next_wave(plan.due()) == project.nodes.keys()
    assert not plan.needs_full_refresh(project.built)


def follows_the_hour_alone(found: set[str]) -> bool:
    """An hour ends without an event: of what moves with it there is one table, and its tests."""
    hourly = "metrics_hourly_engagement"
    return hourly in found and all(hourly in name for name in found)


def test_webhooks_spare_engagement_when_the_tenants_stay_the_same(project: Project) -> None:
    plan = Plan(
        project,
        after(built(project), project, "raw_stripe.events", "ops.run_log", as_of=(INSTANT,)),
    )
    wave = plan.next_wave(plan.due())
    assert "dim_tenant" in names(project, wave)
    assert not of_engagement(project, wave)
    for node_id in list(plan.due()):
        if node_id in wave:
            record(plan, node_id)
    due = names(project, plan.due())
    assert follows_the_hour_alone(of_engagement(project, plan.due()))
    assert not due & {"fact_events", "fact_sessions", "dim_user", "dim_date", "stg_stripe__events"}
    assert {"metrics_daily_mrr", "fact_mrr_movements", "fact_subscription_periods"} <= due


def test_a_test_that_looks_at_everything_comes_last_whatever_is_built(project: Project) -> None:
    looks = "no_relation_is_readable_around_its_policy"
    plan = Plan(project, after(built(project), project, "raw_stripe.events", as_of=(INSTANT,)))
    waves = []
    while due := plan.due():
        wave = plan.next_wave(due)
        waves.append(looks in names(project, wave))
        for node_id in [node_id for node_id in due if node_id in wave]:
            record(plan, node_id)
    assert waves == [False, True]
    assert looks not in names(project, Plan(project, built(project)).due())


def test_webhooks_of_a_new_tenant_reach_engagement(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_stripe.events"))
    wave = plan.next_wave(plan.due())
    for node_id in [node_id for node_id in plan.due() if node_id in wave]:
        record(plan, node_id, rows="one more")
    assert {"metrics_daily_engagement", "metrics_cohort_retention"} <= of_engagement(
        project, plan.due()
    )


def test_events_leave_out_what_does_not_read_them(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_events.events"))
    wave = plan.next_wave(plan.due())
    for node_id in [node_id for node_id in plan.due() if node_id in wave]:
        record(plan, node_id)
    due = names(project, plan.due())
    assert {"fact_events", "metrics_daily_engagement", "fact_productivity"} <= due
    assert not due & {"fact_shifts", "dim_site", "int_revenue__stripe_states", "stg_events__events"}


def test_one_table_of_a_source_builds_its_readers_alone(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_cdc.upcoach__goals"))
    due = names(project, project.built.intersection(plan.due()))
    assert {name for name in due if name.startswith(("fact_", "dim_"))} == {"fact_productivity"}
    assert not of_engagement(project, plan.due())


def test_a_closed_version_of_a_table_is_due_by_its_own_source(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_cdc.rostracore__shifts_history"))
    due = names(project, plan.due())
    assert "int_workforce__shifts_as_of" in due
    assert "rostracore_shifts_snapshot" not in due


def test_a_snapshot_is_due_with_the_table_it_watches(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_cdc.rostracore__shifts"))
    assert "rostracore_shifts_snapshot" in names(project, plan.due())


def test_as_of_within_the_day_leaves_engagement_and_a_new_day_builds_its_calendar(
    project: Project,
) -> None:
    within = Plan(project, after(built(project), project, as_of=(INSTANT,))).due()
    assert follows_the_hour_alone(of_engagement(project, within))
    assert "ops_upcoming_shifts" in names(project, within)

    turned = Plan(project, after(built(project), project, as_of=(INSTANT, TENANT_DATES))).due()
    assert {
        "int_engagement__tenant_horizons",
        "metrics_daily_engagement",
        "metrics_cohort_retention",
    } <= of_engagement(project, turned)
    assert "fact_events" not in names(project, turned)


def test_who_reads_no_tenant_knows_the_date_in_utc_alone(project: Project) -> None:
    after_tenants = project.after([model("dim_tenant")])
    kinds = {n.node_id: n.as_of for n in project.nodes.values()}
    assert kinds[model("int_engagement__tenant_horizons")] == TENANT_DATES
    assert kinds[model("int_customers__weeks")] == UTC_DATE
    assert all(node_id in after_tenants for node_id in kinds if kinds[node_id] == TENANT_DATES)


def test_as_of_is_found_in_a_branch_that_parsing_does_not_take(
    changed: Callable[..., Project],
) -> None:
    code = "select 1 {% if is_incremental() %} where seen_at <= {{ as_of() }} {% endif %}"
    edited = changed("nodes", model("dim_date"), raw_code=code)
    assert edited.nodes[model("dim_date")].as_of == INSTANT


def test_predictions_build_what_they_feed(project: Project) -> None:
    state = after(built(project), project, "ml.predictions", "ml.predictive_models")
    due = set(Plan(project, state).due())
    assert "customer_churn_risks" in names(project, due)
    assert due - looks_at_everything(project) <= project.below("models/staging/predictions")


def test_changed_sql_builds_the_model_and_all_that_reads_it_in_full(
    project: Project, changed: Callable[..., Project]
) -> None:
    changing = model("int_engagement__user_days")
    plan = Plan(changed("nodes", changing, raw_code="select 1"), built(project))
    assert plan.due().keys() == reads(project, changing)
    assert plan.needs_full_refresh(plan.due())


def test_changed_words_build_without_a_full_refresh(
    project: Project, changed: Callable[..., Project]
) -> None:
    changing = model("int_engagement__user_days")
    plan = Plan(changed("nodes", changing, description="Said better."), built(project))
    assert plan.due()[changing] == build_plan.INPUTS_CHANGED
    assert "metrics_daily_engagement" in names(project, plan.due())
    assert not plan.needs_full_refresh(plan.due())


def test_a_changed_macro_builds_everything_in_full(
    project: Project, changed: Callable[..., Project]
) -> None:
    plan = Plan(
        changed("macros", "macro.tallyhouse.entity_uuid", macro_sql="{% macro entity_uuid() %}"),
        built(project),
    )
    assert plan.due().keys() == project.nodes.keys()
    assert plan.needs_full_refresh(project.built)


def test_a_changed_seed_builds_what_reads_it(
    parsed: dict[str, Any], project: Project, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT_ROOT / "seeds", tmp_path / "seeds")
    with (tmp_path / "seeds" / "core" / "public_holidays.csv").open("a") as file:
        file.write("\n")
    edited = Project(parsed, tmp_path)
    due = Plan(edited, built(project)).due()
    assert due.keys() == reads(project, "seed.tallyhouse.public_holidays")


def test_a_changed_test_is_due_alone(project: Project, changed: Callable[..., Project]) -> None:
    test = "test.tallyhouse.mrr_bridge_holds_to_the_cent"
    assert Plan(changed("nodes", test, raw_code="select 2"), built(project)).due().keys() == {test}


def test_unit_tests_wait_for_code_not_for_rows(
    project: Project, changed: Callable[..., Project]
) -> None:
    loaded = Plan(project, after(built(project), project, *tables(project))).due()
    assert not {node_id for node_id in loaded if node_id.startswith("unit_test.")}
    edited = changed("nodes", model("int_revenue__stripe_items"), raw_code="select 1")
    due = Plan(edited, built(project)).due()
    assert any(
        node_id.startswith("unit_test.tallyhouse.int_revenue__stripe_items") for node_id in due
    )


def tables(project: Project) -> list[str]:
    return [f"{source['schema']}.{source['identifier']}" for source in project.sources.values()]


def test_a_model_that_was_added_or_failed_or_vanished_is_due_with_its_readers(
    project: Project,
) -> None:
    changing = model("int_revenue__stripe_items")
    for reason in (build_plan.NEVER_BUILT, build_plan.NOT_FINISHED, build_plan.GONE):
        state = built(project)
        if reason == build_plan.NEVER_BUILT:
            del state.held[changing]
        elif reason == build_plan.NOT_FINISHED:
            state.held[changing] = replace(state.held[changing], inputs=None)
        else:
            state.relations.remove(project.nodes[changing].relation)
        due = Plan(project, state).due()
        assert due[changing] == reason
        assert due.keys() == {
            node_id for node_id in reads(project, changing) if not node_id.startswith("unit_test.")
        }


def test_a_model_without_a_memory_of_its_code_is_built_in_full(project: Project) -> None:
    state = built(project)
    del state.held[model("fact_events")]
    assert Plan(project, state).needs_full_refresh([model("fact_events")])
    state.relations.remove("core.fact_events")
    assert not Plan(project, state).needs_full_refresh([model("fact_events")])


def test_what_reads_something_stale_is_not_remembered_as_built(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_stripe.events"))
    assert plan.record(model("metrics_daily_mrr"), in_full=True) is None
    assert model("metrics_daily_mrr") in plan.due()


def test_rows_of_other_code_are_not_remembered_as_built(
    project: Project, changed: Callable[..., Project]
) -> None:
    edited = changed("nodes", model("fact_events"), raw_code="select 1")
    plan = Plan(edited, built(project))
    assert plan.record(model("fact_events"), in_full=False) is None
    assert plan.record(model("fact_events"), in_full=True) is not None


def test_a_view_shows_its_source_without_being_built(project: Project) -> None:
    due = Plan(project, after(built(project), project, "raw_revenuecat.events")).due()
    assert model("stg_revenuecat__events") not in due
    assert model("int_revenue__revenuecat_history") in due
    tests = (project.nodes[node_id] for node_id in due if node_id.startswith("test."))
    assert any(model("stg_revenuecat__events") in test.reads for test in tests)


def test_tests_of_what_is_left_out_are_left_out(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_revenuecat.events"))
    due = plan.due()
    touched = project.after(
        key for key, source in project.sources.items() if source["schema"] == "raw_revenuecat"
    )
    tests = {node_id for node_id in due if node_id.startswith("test.")}
    assert tests
    assert tests - looks_at_everything(project) <= touched
    assert len(tests) < sum(node.kind == "test" for node in project.nodes.values())


def test_a_wave_runs_no_test_before_all_it_reads_is_built(project: Project) -> None:
    plan = Plan(project, after(built(project), project, "raw_stripe.events"))
    due = plan.due()
    wave = plan.next_wave(due)
    assert wave < due.keys()
    for node_id in wave:
        assert {read for read in project.nodes[node_id].reads if read in due} <= wave


def test_a_table_that_is_swapped_in_takes_the_views_on_it_along(parsed: dict[str, Any]) -> None:
    view = model("stg_upcoach__goals")
    entry = deepcopy(parsed["nodes"][view])
    entry["depends_on"]["nodes"] = [model("dim_date")]
    edited = Project({**parsed, "nodes": {**parsed["nodes"], view: entry}}, PROJECT_ROOT)
    state = built(edited)
    plan = Plan(edited, state)
    record(plan, model("dim_date"))
    assert plan.due()[view] == build_plan.GONE


def test_staging_that_a_given_as_of_may_cut_does_not_depend_on_the_running_one(
    project: Project,
) -> None:
    """Else everything would be due whenever something arrives."""
    staging = [n for n in project.nodes.values() if n.path.startswith("models/staging/")]
    assert len(staging) > 30 and {node.as_of for node in staging} == {None}
