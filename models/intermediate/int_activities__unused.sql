{#- The raw table, its rows as they came, without repetition, a row's id, the prefix of its event's key. -#}
{%- set activities = [
    ('web_events', ref('stg_raw__web_events'), slice_of('int_web_events__latest'), 'web_event_id', ''),
    ('app_events', ref('stg_raw__app_events'), ref('int_app_events__latest'), 'app_event_id', 'app_events-'),
    ('messages', ref('stg_raw__messages'), ref('int_messages__latest'), 'message_id', 'messages-'),
] -%}
with

events as (

    select * from {{ slice_of('int_events__keyed') }}

),

rehearsals as (
    {% for table, rehearsed, latest, record_id, prefix in activities %}
        select distinct
            '{{ table }}' as source_table,
            {{ record_id }} as source_id,
            'test_record' as reason
        from {{ rehearsed }}
        where is_test
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

activities as (
    {% for table, rehearsed, latest, record_id, prefix in activities %}
        select
            '{{ table }}' as source_table,
            {{ record_id }} as source_id,
            event_name,
            '{{ prefix }}' || row_key as row_key
        from {{ latest }}
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

-- What no model of an event took: a purchase is the order's, and no other name is known.
left_out as (

    select
        activities.source_table,
        activities.source_id,
        case
            when activities.event_name = 'Purchase' then 'counted_as_order' else 'unknown_event'
        end as reason
    from activities
    left join events
        on activities.source_table = events.source_table and activities.row_key = events.row_key
    where events.row_key is null

),

activities_unused as (

    select * from rehearsals
    union all
    select * from left_out

)

select * from activities_unused
