-- Longer than usual because each reason has its line, and the order of the lines is the meaning.
with

identified as (

    select * from {{ slice_of('int_events__identified') }}

),

contacts as (

    select * from {{ slice_of('int_events__contacted') }}

),

suppressions as (

    select * from {{ ref('int_events__suppressed') }}

),

consents as (

    select * from {{ slice_of('int_events__consented') }}

),

destinations as (

    select * from {{ ref('destinations') }}
    where is_enabled is not null

),

routes as (

    select * from {{ ref('event_routes') }}

),

withheld as (

    select * from {{ ref('int_places__withheld') }}

),

events as (

    select
        identified.*,
        {{ selected('contacts', ['email_sha256s', 'phone_digits_sha256s']) }}
    from identified
    left join contacts on identified.event_key = contacts.event_key

),

offered as (

    select
        {{ selected('events', [
            'event_key', 'event_name', 'event_id', 'event_at', 'source_hold_reason', 'is_duplicate', 'value',
            'currency', 'is_value_required',
        ]) }},
        {{ selected('destinations', [
            'destination', 'is_enabled', 'consent_purpose', 'has_limited_data_use',
        ]) }},
        withheld.withheld_fields,
        suppressions.event_key is not null as is_suppressed,
        routes.event_name is not null as is_routed,
        routes.send_after_minutes > 0 as has_hold_time,
        {{ add_minutes('events.event_at', 'coalesce(routes.send_after_minutes, 0)') }} as send_after,
        -- A destination that takes events of any age takes those of a century.
        {{ add_days('events.event_at', 'coalesce(case when events.action_source = \'physical_store\''
            ~ ' then destinations.max_age_days_in_store else destinations.max_age_days end, 36525)') }} as expires_at,
        {{ meets_match_rule('destinations', 'events', 'withheld.withheld_fields') }}
            as is_matchable,
        events.action_source = 'app' and destinations.needs_app_data
        and not {{ has_app_data('events', 'withheld.withheld_fields') }} as lacks_app_data
    from events
    cross join destinations
    left join suppressions on events.event_key = suppressions.event_key
    left join routes
        on events.event_name = routes.event_name and destinations.destination = routes.destination
    left join withheld
        on
            destinations.destination = withheld.destination
            and coalesce(events.country_code, '') = coalesce(withheld.country_code, '')
            and coalesce(events.region_code, '') = coalesce(withheld.region_code, '')

),

judged as (

    select
        {{ selected('offered', [
            'event_key', 'event_name', 'event_id', 'event_at', 'destination', 'consent_purpose', 'expires_at',
            'send_after', 'withheld_fields',
        ]) }},
        {{ selected('consents', [
            'consent_regime', 'consent_at_event', 'consent_at_as_of', 'consent_decided_at', 'is_limited_data_use',
        ]) }},
        -- The first that holds is the one that is shown.
        case
            when offered.is_suppressed then 'suppressed'
            when offered.event_id is null then 'invalid_key'
            when offered.is_duplicate then 'duplicate_event_id'
            when offered.event_at is null then 'invalid_time'
            when offered.source_hold_reason is not null then offered.source_hold_reason
            when offered.is_value_required and coalesce(offered.value, -1) < 0 then 'invalid_value'
            when offered.is_value_required and offered.currency is null then 'invalid_currency'
            when not offered.is_routed then 'not_routed'
            when consents.hold_reason is not null then consents.hold_reason
            when consents.is_limited_data_use and not offered.has_limited_data_use then 'consent_denied'
            when offered.lacks_app_data then 'missing_app_data'
            when not offered.is_matchable then 'no_match_key'
            when {{ is_expired('offered.expires_at') }} then 'expired'
            when not offered.is_enabled then 'destination_disabled'
            when offered.has_hold_time and {{ as_of() }} < offered.send_after then 'waiting_period'
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
        {{ as_of() }} as as_of,
        send_after, withheld_fields
    from judged
    -- In the order of time, because sending reads one span of it after the other.
    order by event_at

)

select * from conversion_outbox
