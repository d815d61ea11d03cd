-- Guards: nobody's event is sendable against the log of decisions. Asks the log itself, decision by decision,
-- and not the models that build intervals from it: at the time of the event and at as_of, the latest decision
-- of customer and visitor together must be a grant where the law asks for one, and no denial elsewhere.
with

sendable as (

    select
        outbox.event_key,
        outbox.destination,
        outbox.event_at,
        outbox.as_of,
        outbox.consent_purpose,
        orders.customer_id,
        orders.visitor_id,
        coalesce(regional.regime, national.regime, 'opt_in') as regime,
        outbox.is_limited_data_use
        and coalesce(regional.on_denial, national.on_denial, 'hold') = 'limited_data_use' as is_limited
    from {{ ref('fct_conversion_outbox') }} as outbox
    inner join {{ ref('fct_conversion_events') }} as events on outbox.event_key = events.event_key
    inner join {{ ref('int_orders__sessionized') }} as orders on events.order_id = orders.order_id
    left join {{ ref('consent_policy') }} as regional
        on events.country_code = regional.country_code and events.region_code = regional.region_code
    left join {{ ref('consent_policy') }} as national
        on events.country_code = national.country_code and national.region_code is null
    where outbox.is_sendable

),

subjects as (

    select
        *,
        'customer' as subject_type,
        customer_id as subject_id
    from sendable
    union all
    select
        *,
        'visitor' as subject_type,
        visitor_id as subject_id
    from sendable

),

-- A grant whose time cannot be read is none; a denial counts as made at as_of.
decisions as (

    select
        subjects.event_key,
        subjects.destination,
        consent.status,
        coalesce(consent.recorded_at, subjects.as_of) as recorded_at,
        coalesce(consent.recorded_at <= subjects.event_at, false) as is_before_event
    from subjects
    inner join {{ ref('stg_raw__consent') }} as consent
        on
            subjects.subject_type = consent.subject_type
            and subjects.subject_id = consent.subject_id
            and subjects.consent_purpose = consent.purpose
    where
        coalesce(consent.recorded_at, subjects.as_of) <= subjects.as_of
        and (consent.recorded_at is not null or consent.status = 'denied')

),

latest as (

    select
        event_key,
        destination,
        max(case when is_before_event and status = 'granted' then recorded_at end) as granted_before_event,
        max(case when is_before_event and status = 'denied' then recorded_at end) as denied_before_event,
        max(case when status = 'granted' then recorded_at end) as granted_at,
        max(case when status = 'denied' then recorded_at end) as denied_at
    from decisions
    group by event_key, destination

)

select
    sendable.event_key,
    sendable.destination,
    sendable.regime
from sendable
left join latest on sendable.event_key = latest.event_key and sendable.destination = latest.destination
where
    not sendable.is_limited
    and (
        (sendable.regime = 'opt_in' and latest.granted_before_event is null)
        or latest.denied_before_event >= coalesce(latest.granted_before_event, latest.denied_before_event)
        or latest.denied_at >= coalesce(latest.granted_at, latest.denied_at)
    )
