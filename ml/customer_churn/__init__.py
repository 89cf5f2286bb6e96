"""Customer churn: will a paying customer's MRR fall to zero within 28 days? Description only.

The entity is the paying customer (an UpCoach subscriber, a RostraCore tenant account) on Mondays,
00:00 UTC. What each column means is written in ``models/features``.
"""

from ml.common.spec import Band, Feature, ModelSpec

SPEC = ModelSpec(
    name="customer_churn",
    version="1",
    question=(
        "Chance that a customer who pays at as-of time stops paying (MRR to zero) within the next "
        "28 days."
    ),
    entity="customer",
    prediction_type="churn_probability_28_days",
    features_table="features.feat_customer_churn__customers",
    outcomes_table="features.feat_customer_churn__outcomes",
    scores_newest_only=True,
    bands=(Band("low", 0.10), Band("medium", 0.30), Band("high", 1.01)),
    features=(
        Feature("product", "product is {value}", kind="category"),
        Feature("plan", "plan is {value}", kind="category"),
        Feature("billing_interval", "billed by the {value}", kind="category"),
        Feature("quantity", "{value} seats"),
        Feature("tenure_days", "customer for {value} days"),
        Feature(
            "is_cancel_requested",
            "cancellation at the period's end asked for: {value}",
            may_dominate="a cancellation that was asked for is known and does end in churn",
        ),
        Feature("is_past_due", "payment past due: {value}"),
        Feature("days_to_renewal", "{value} days until the paid period ends"),
        Feature("failed_payments_28_days", "{value} failed payments in 28 days"),
        Feature("failed_payments_ever", "{value} failed payments since the beginning"),
        Feature("events_7_days", "{value} events in 7 days"),
        Feature("events_28_days", "{value} events in 28 days"),
        Feature("active_days_7_days", "active on {value} of the last 7 days"),
        Feature("active_days_28_days", "active on {value} of the last 28 days"),
        Feature("active_days_change", "{value} active days more than in the 28 days before"),
        Feature("days_since_active", "last seen {value} days ago"),
        Feature("sessions_28_days", "{value} sessions in 28 days"),
        Feature("active_users_28_days", "{value} users active in 28 days"),
        Feature("goals_created_28_days", "{value} goals set in 28 days"),
        Feature("goals_completed_28_days", "{value} goals completed in 28 days"),
        Feature("habit_checkins_28_days", "{value} habit check-ins in 28 days"),
        Feature("mood_score_28_days", "average mood {value} of 5"),
        Feature("chat_sessions_28_days", "{value} chat sessions in 28 days"),
        Feature("chat_rating_28_days", "average chat rating {value} of 5"),
        Feature("nudges_28_days", "{value} nudges received in 28 days"),
    ),
)
