"""Shift fill: will a shift have all its guards when it starts? Description only.

The entity is the shift, 48 hours before its start, or when it became known if that was later. What
each column means is written in ``models/features``.
"""

from ml.common.spec import Band, Feature, ModelSpec

SPEC = ModelSpec(
    name="shift_fill",
    version="1",
    question="Chance that a shift has at least its required number of guards when it starts.",
    entity="shift",
    prediction_type="fill_probability",
    features_table="features.feat_shift_fill__shifts",
    outcomes_table="features.feat_shift_fill__outcomes",
    scores_newest_only=False,
    grace_hours=24,
    bands=(Band("high", 0.50), Band("medium", 0.70), Band("low", 1.01)),
    features=(
        Feature("required_skill", "required skill is {value}", kind="category"),
        Feature("hours_to_start", "{value} hours left until the start"),
        Feature("lead_hours", "posted {value} hours before the start"),
        Feature("duration_hours", "lasts {value} hours"),
        Feature("required_count", "{value} guards required"),
        Feature("local_start_hour", "starts at hour {value}"),
        Feature("iso_weekday", "starts on weekday {value} (1 is Monday)"),
        Feature("is_holiday", "public holiday: {value}"),
        Feature("month_of_year", "month {value}"),
        Feature(
            "accepted_share",
            "{value} of the required guards have accepted",
            may_dominate="acceptances recorded before as-of time are the shift's own progress",
        ),
        Feature(
            "open_count",
            "{value} places still open",
            may_dominate="acceptances recorded before as-of time are the shift's own progress",
        ),
        Feature("pending_count", "{value} offers unanswered"),
        Feature("rejected_count", "{value} offers rejected"),
        Feature("budget_per_guard_hour_ratio", "pays {value} times the tenant's usual rate"),
        Feature("guards_employed_count", "{value} guards employed by the tenant"),
        Feature("guards_with_practice_count", "{value} guards with practice in the skill"),
        Feature("places_that_day_count", "{value} places to fill on the same day"),
        Feature("site_fill_rate_90_days", "site filled {value} of its shifts in 90 days"),
        Feature("tenant_fill_rate_90_days", "tenant filled {value} of its shifts in 90 days"),
        Feature("skill_fill_rate_90_days", "skill filled {value} of its shifts in 90 days"),
        Feature("tenant_rejection_rate_90_days", "{value} of the tenant's offers were rejected"),
    ),
)
