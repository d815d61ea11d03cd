-- Longer than usual because firings and events must stand on the same lines in time, by order and by person.
{%- set ids = ['order_id', 'customer_id', 'visitor_id', 'session_id'] -%}
{%- set seconds = (var('pixel_duplicate_minutes') | float * 60) | round(0, 'ceil') | int -%}
{#- An order decides where both have one. So a person has two lines in time: all events with the firings
    without an order, and the events without an order with all firings. -#}
{%- set lines = [('order_id', 'true', 'true')] -%}
{%- for id in ids[1:] -%}
    {%- do lines.extend([(id, 'true', 'order_id is null'), (id, 'order_id is null', 'true')]) -%}
{%- endfor %}
with

events as (

    select
        event_key, event_name, event_id, event_at, order_id, customer_id, session_id,
        coalesce(visitor_id, session_visitor_id) as visitor_id,
        {{ event_kind('event_name') }} as kind
    from {{ slice_of('int_events__identified') }}
    where event_id is not null and not is_duplicate

),

-- What was fired under the very name and id of an event is counted once with it.
apart as (

    select
        {{ selected('fired', ['row_key', 'occurred_at'] + ids) }},
        {{ event_kind('fired.fired_name') }} as kind
    from {{ slice_of('int_web_events__latest') }} as fired
    left join events on fired.fired_name = events.event_name and fired.event_id = events.event_id
    where events.event_key is null and fired.occurred_at is not null

),

-- Of events of the same moment, one.
timeline as (
    {% for id, of_events, of_firings in lines %}
        select
            {{ loop.index }} as line, kind, {{ id }} as id, event_at as happened_at,
            min(event_key) as event_key, null as row_key
        from events
        where event_at is not null and {{ of_events }} and {{ id }} in (select apart.{{ id }} from apart)
        group by kind, {{ id }}, event_at
        union all
        select
            {{ loop.index }} as line, kind, {{ id }} as id, occurred_at as happened_at,
            null as event_key, row_key
        from apart
        where {{ id }} is not null and {{ of_firings }}
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

-- One pass in time counts the events up to each moment. A join by range would pair all with all where one
-- person has many of both.
counted as (

    select
        *,
        count(event_key) over (partition by line, kind, id order by happened_at) as place
    from timeline

),

-- The event at a firing's place is the last before it, that of the next place the first after it.
sought as (
    {% for step in [0, 1] %}
        select
            row_key, happened_at, line, kind, id, place + {{ step }} as place
        from counted
        where row_key is not null
        {{- '\n    union all' if not loop.last }}
    {% endfor %}
),

near as (

    select
        sought.row_key as web_event_key,
        found.event_key,
        found.happened_at as event_at,
        {{ seconds_between('found.happened_at', 'sought.happened_at') }} as seconds_later
    from sought
    inner join counted as found
        on
            sought.line = found.line and sought.place = found.place
            and sought.kind = found.kind and sought.id = found.id
    where found.event_key is not null

),

-- One firing is at most one conversion too many: it goes with the nearest event alone.
ranked as (

    select
        *,
        row_number() over (
            partition by web_event_key order by abs(seconds_later) asc, event_at asc, event_key asc
        ) as choice
    from near
    where abs(seconds_later) <= {{ seconds }}

),

web_events_paired as (

    select
        web_event_key,
        event_key,
        seconds_later
    from ranked
    where choice = 1

)

select * from web_events_paired
