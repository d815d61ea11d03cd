-- Guards: nobody's event is sendable against what was decided. Asks the log and the sessions, one denial at a
-- time, and not the models that draw a line through time: where the law asks for a grant, one came before the
-- event; each denial before the event was followed by a grant before the event; and after the event there is
-- no denial at all, unless the policy lets a later grant revive.
with

sendable as (

    select
        outbox.event_key,
        outbox.destination,
        outbox.event_at,
        outbox.as_of,
        outbox.consent_purpose,
        coalesce(regional.regime, national.regime, 'opt_in') as regime,
        coalesce(regional.regrant_revives, national.regrant_revives, false) as is_revivable,
        -- Without a rule the browser's signal counts where the place or the US state is not known.
        coalesce(
            regional.gpc_is_denial, national.gpc_is_denial, coalesce(events.country_code, 'US') = 'US'
        ) as heeds_signals,
        outbox.is_limited_data_use
        and coalesce(regional.regime, national.regime) = 'opt_out'
        and coalesce(regional.on_denial, national.on_denial) = 'limited_data_use' as is_limited
    from {{ slice_of('fct_conversion_outbox') }} as outbox
    inner join {{ slice_of('fct_conversion_events') }} as events on outbox.event_key = events.event_key
    left join {{ ref('consent_policy') }} as regional
        on events.country_code = regional.country_code and events.region_code = regional.region_code
    left join {{ ref('consent_policy') }} as national
        on
            events.country_code = national.country_code
            and national.region_code is null
            and not (events.country_code = 'US' and events.region_code is null)
    where outbox.is_sendable

),

-- The log and the browser's signals, which are about every purpose; each also for those who may only object,
-- as another account or browser of the person.
told as (

    select
        subject_type,
        subject_id,
        purpose,
        status,
        recorded_at
    from {{ ref('stg_raw__consent') }}
    where subject_type in ('customer', 'visitor')
    union all
    select
        case subject_type when 'customer' then 'other_account' when 'visitor' then 'lender' end
            as subject_type,
        subject_id,
        purpose,
        status,
        recorded_at
    from {{ ref('stg_raw__consent') }}
    {% for subject, column in {
        'customer': 'customer_id', 'other_account': 'customer_id', 'visitor': 'visitor_id', 'lender': 'visitor_id',
        'session': 'session_id',
    }.items() %}
        union all
        select
            '{{ subject }}' as subject_type,
            {{ column }} as subject_id,
            null as purpose,
            'denied' as status,
            started_at as recorded_at
        from {{ ref('stg_raw__sessions') }}
        where global_privacy_control
    {% endfor %}
),

-- A grant whose time cannot be read is none; a denial counts as made at as_of.
decisions as (

    select
        sendable.event_key,
        sendable.destination,
        told.status,
        subjects.subject_type,
        subjects.subject_id,
        subjects.subject_type in ('other_account', 'lender') as only_objects,
        coalesce(told.recorded_at, sendable.as_of) as made_at,
        coalesce(told.recorded_at, sendable.as_of) <= sendable.event_at as is_before_event
    from sendable
    inner join {{ ref('int_events__subjects') }} as subjects on sendable.event_key = subjects.event_key
    inner join told
        on subjects.subject_type = told.subject_type and subjects.subject_id = told.subject_id
    where
        (told.purpose = sendable.consent_purpose or (told.purpose is null and sendable.heeds_signals))
        and coalesce(told.recorded_at, sendable.as_of) <= sendable.as_of
        and (told.recorded_at is not null or told.status = 'denied')

),

grants as (

    select * from decisions
    where status = 'granted'

),

-- What a later grant made good, of who speaks for the event or of the one who had denied: for a denial before
-- the event, a grant that came before the event too.
answered as (

    select
        denials.event_key,
        denials.destination,
        denials.is_before_event,
        count(grants.made_at) as grant_count
    from decisions as denials
    left join grants
        on
            denials.event_key = grants.event_key
            and denials.destination = grants.destination
            and denials.made_at < grants.made_at
            and (grants.is_before_event or not denials.is_before_event)
            and (
                not grants.only_objects
                or (denials.subject_type = grants.subject_type and denials.subject_id = grants.subject_id)
            )
    where denials.status = 'denied'
    group by
        denials.event_key, denials.destination, denials.subject_type, denials.subject_id,
        denials.is_before_event, denials.made_at

)

select
    event_key,
    destination,
    regime
from sendable
where
    not is_limited
    and (
        (
            regime = 'opt_in'
            and not exists (
                select 1 from grants
                where
                    grants.event_key = sendable.event_key
                    and grants.destination = sendable.destination
                    and grants.is_before_event
                    and not grants.only_objects
            )
        )
        or exists (
            select 1 from answered
            where
                answered.event_key = sendable.event_key
                and answered.destination = sendable.destination
                and (answered.grant_count = 0 or not (answered.is_before_event or sendable.is_revivable))
        )
    )
