{#- The raw table, the staging model that reads it, and the column that names a row to a person. -#}
{%- set tables = {
    'orders': (ref('stg_raw__orders'), 'order_id'),
    'order_lines': (ref('stg_raw__order_lines'), 'order_id'),
    'sessions': (ref('stg_raw__sessions'), 'session_id'),
    'consent': (ref('stg_raw__consent'), 'consent_id'),
    'payments': (ref('stg_raw__payments'), 'payment_id'),
    'refunds': (ref('stg_raw__refunds'), 'refund_id'),
    'leads': (ref('stg_raw__leads'), 'lead_id'),
    'subscriptions': (ref('stg_raw__subscriptions'), 'subscription_id'),
    'web_events': (ref('stg_raw__web_events'), 'web_event_id'),
    'app_events': (ref('stg_raw__app_events'), 'app_event_id'),
    'messages': (ref('stg_raw__messages'), 'message_id'),
    'suppressions': (ref('stg_raw__suppressions'), 'subject_type'),
} -%}
with

flagged as (
    {% for table, (staged, row_id) in tables.items() %}
        select
            '{{ table }}' as table_name,
            {{ row_id }} as row_id,
            unreadable_columns
        from {{ staged }}
        where unreadable_columns <> ''
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

typed_columns as (
    {% for table in tables %}
        {%- set is_last_table = loop.last %}
        {%- for column in typed_raw_columns(table) %}
            select
                '{{ table }}' as table_name,
                '{{ column }}' as column_name
            {{- '\n    union all' if not (loop.last and is_last_table) }}
        {%- endfor %}
    {%- endfor %}

),

values_unreadable as (

    select
        flagged.table_name,
        typed_columns.column_name,
        flagged.row_id
    from flagged
    inner join typed_columns
        on
            flagged.table_name = typed_columns.table_name
            and flagged.unreadable_columns like '% ' || typed_columns.column_name || ' %'

)

select * from values_unreadable
