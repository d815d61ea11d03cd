with

sent_log as (

    select * from {{ ref('stg_kept__sent_log') }}

),

events as (

    select * from {{ slice_of('int_events__identified') }}

),

destinations as (

    select * from {{ ref('destinations') }}

),

-- Of events with one id only the first is ever sent. The first try is known; of later ones only the last
-- trace is: an intent, or an answer that came more than an hour after the first try and so is to another one.
-- What a person resolved or a withdrawal suppressed was not sent again.
sendings as (

    select
        {{ selected('sent_log', ['destination_id', 'event_name', 'event_id', 'state']) }},
        {{ selected('events', ['event_key', 'event_at']) }},
        destinations.consent_purpose,
        sent_log.first_intent_at as sent_at,
        case
            when
                sent_log.state in ('intent', 'acked', 'dead')
                and coalesce(sent_log.reason, '') not like 'resolved%'
                and sent_log.updated_at > {{ add_hours('sent_log.first_intent_at', 1) }}
                then sent_log.updated_at
        end as resent_at
    from sent_log
    inner join events
        on
            sent_log.event_name = events.event_name
            and sent_log.event_id = events.event_id
            and not events.is_duplicate
    inner join destinations on sent_log.destination = destinations.destination

),

events_sent as (
    {% for occasion, left_at in {'sending': 'sent_at', 'resending': 'resent_at'}.items() %}
        select
            {{ selected('sendings', [
                'destination_id', 'event_name', 'event_id', 'state', 'event_key', 'event_at', 'consent_purpose',
            ]) }},
            '{{ occasion }}' as occasion,
            {{ left_at }} as left_at
        from sendings
        where {{ left_at }} <= {{ as_of() }}
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
)

select * from events_sent
