{%- set columns = {
    'destination': 'text', 'destination_id': 'text', 'event_name': 'text', 'event_id': 'text', 'state': 'text',
    'reason': 'text', 'first_intent_at': 'time', 'updated_at': 'time',
} -%}
with

sent_log as (

    select
        {{ columns | join(',\n        ') }}
    from {{ kept_table('sent_log', columns) }}

)

select * from sent_log
