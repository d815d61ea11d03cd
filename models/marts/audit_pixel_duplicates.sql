-- Longer than usual because it looks for the same order and for the same person in one model.
{%- set ids = ['order_id', 'customer_id', 'visitor_id', 'session_id'] -%}
{%- set seconds = (var('pixel_duplicate_minutes') | float * 60) | round(0, 'ceil') | int -%}
{%- set slot = ' / ' ~ [seconds, 1] | max ~ ')' -%}
{%- set begin = "cast('1970-01-01' as timestamp)" %}
with

events as (

    select
        event_key, event_name, event_id, event_at, order_id, customer_id, session_id,
        coalesce(visitor_id, session_visitor_id) as visitor_id,
        {{ event_kind('event_name') }} as kind,
        floor({{ seconds_between(begin, 'event_at') ~ slot }} as slot
    from {{ ref('int_events__identified') }}
    where event_id is not null and not is_duplicate

),

fired as (

    select
        row_key, event_id, occurred_at, {{ ids | join(', ') }},
        fired_name as event_name,
        {{ event_kind('fired_name') }} as kind,
        floor({{ seconds_between(begin, 'occurred_at') ~ slot }} as slot
    from {{ ref('int_web_events__latest') }}

),

-- The stretch of time of a firing and those beside it: compared is within these alone, not all with all.
steps as (

    select -1 as step
    union all
    select 0 as step
    union all
    select 1 as step

),

-- What was fired under the very name and id of an event is counted once with it.
apart as (

    select
        fired.*,
        fired.slot + steps.step as near_slot
    from fired
    cross join steps
    left join events on fired.event_name = events.event_name and fired.event_id = events.event_id
    where events.event_key is null

),

-- The same order, where both have one; else the same person.
paired as (
    {% for id in ids %}
        select
            {{ selected('events', ['event_key', 'event_name', 'event_id', 'event_at']) }},
            apart.row_key as web_event_key,
            apart.event_name as pixel_event_name,
            apart.event_id as pixel_event_id,
            apart.occurred_at as pixel_fired_at,
            {{ seconds_between('events.event_at', 'apart.occurred_at') }} as seconds_later
        from apart
        inner join events
            on apart.kind = events.kind and apart.near_slot = events.slot and apart.{{ id }} = events.{{ id }}
        {{- '\n        where apart.order_id is null or events.order_id is null' if id != 'order_id' }}
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

-- One firing is at most one conversion too many: it is listed with the nearest event alone.
ranked as (

    select
        *,
        row_number() over (
            partition by web_event_key order by abs(seconds_later) asc, event_at asc, event_key asc
        ) as choice
    from paired
    where abs(seconds_later) <= {{ seconds }}

),

pixel_duplicates as (

    select
        {{ [
            'web_event_key', 'event_key', 'event_name', 'event_id', 'event_at', 'pixel_event_name', 'pixel_event_id',
            'pixel_fired_at', 'seconds_later',
        ] | join(',\n        ') }},
        case when pixel_event_name = event_name then 'other_id' else 'other_name' end as reason
    from ranked
    where choice = 1

)

select * from pixel_duplicates
