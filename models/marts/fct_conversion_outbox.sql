with

events as (

    select * from {{ ref('int_events__identified') }}

),

consents as (

    select * from {{ ref('int_events__consented') }}

),

destinations as (

    select * from {{ ref('destinations') }}

),

offered as (

    select
        {{ selected('events', ['event_key', 'event_name', 'event_id', 'event_at', 'action_source']) }},
        events.value,
        events.currency,
        events.source_hold_reason,
        events.is_duplicate,
        {{ selected('destinations', ['destination', 'is_enabled', 'consent_purpose', 'needs_app_data']) }},
        {{ add_days('events.event_at', 'case when events.action_source = \'physical_store\''
            ~ ' then destinations.max_age_days_in_store else destinations.max_age_days end') }} as expires_at,
        {{ meets_match_rule('destinations.match_rule', 'events') }} as is_matchable
    from events
    cross join destinations

),

judged as (

    select
        {{ selected('offered', [
            'event_key', 'event_name', 'event_id', 'event_at', 'destination', 'consent_purpose', 'expires_at',
        ]) }},
        {{ selected('consents', [
            'consent_regime', 'consent_at_event', 'consent_at_as_of', 'consent_decided_at', 'is_limited_data_use',
        ]) }},
        -- The first that holds is the one that is shown.
        case
            when offered.event_id is null then 'invalid_key'
            when offered.is_duplicate then 'duplicate_event_id'
            when offered.event_at is null then 'invalid_time'
            when offered.source_hold_reason is not null then offered.source_hold_reason
            when offered.value is null or offered.value < 0 then 'invalid_value'
            when offered.currency is null then 'invalid_currency'
            when consents.hold_reason is not null then consents.hold_reason
            when offered.action_source = 'app' and offered.needs_app_data then 'missing_app_data'
            when not offered.is_matchable then 'no_match_key'
            -- An hour is left for the way there.
            when {{ as_of() }} > {{ add_hours('offered.expires_at', -1) }} then 'expired'
            when not offered.is_enabled then 'destination_disabled'
        end as hold_reason
    from offered
    inner join consents
        on offered.event_key = consents.event_key and offered.consent_purpose = consents.consent_purpose

),

conversion_outbox as (

    select
        event_key, event_name, event_id, event_at, destination,
        hold_reason is null as is_sendable,
        hold_reason, consent_purpose, consent_regime, consent_at_event, consent_at_as_of, consent_decided_at,
        is_limited_data_use, expires_at,
        {{ as_of() }} as as_of
    from judged

)

select * from conversion_outbox
