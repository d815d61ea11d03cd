-- The list of events, and nothing else. A new event is a model in this folder and its name here.
{%- set events = [
    ref('int_events__purchase'),
] %}

with

events_unioned as (
    {% for event in events %}
        select
            {{ event_columns() | join(',\n        ') }}
        from {{ event }}
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

)

select * from events_unioned
