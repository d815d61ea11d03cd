{#- The raw table, the model that knows, the column that names a record, and why it makes no event. -#}
{%- set records = {
    'refunds': (ref('int_refunds__latest'), 'refund_id', 'no_effect_reason'),
    'leads': (slice_of('int_leads__latest'), 'lead_id', 'no_event_reason'),
    'subscriptions': (ref('int_subscriptions__latest'), 'subscription_id', 'no_event_reason'),
} -%}
with

activities as (

    select * from {{ ref('int_activities__unused') }}

),

records as (
    {% for table, (known, record_id, reason) in records.items() %}
        select
            '{{ table }}' as source_table,
            {{ record_id }} as source_id,
            {{ reason }} as reason
        from {{ known }}
        {{- '\n    union all' if not loop.last }}
    {%- endfor %}

),

records_unused as (

    select * from records
    where reason is not null
    union all
    select * from activities

)

select * from records_unused
