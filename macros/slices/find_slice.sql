{# Fills build_slice. A slice of more than a third of all records is given up: to build everything costs less. #}
{% macro find_slice() %}
    {% set slice, links = our_table('build_slice'), our_table('build_links') %}
    {% set changed, news = our_table('build_changed'), our_table('build_links_new') %}
    {% set events = our_table('int_events__keyed') %}
    {% do run_query(build_changed(changed)) %}
    {% do run_query('create or replace table ' ~ news ~ ' as select * from ' ~ links ~ ' where 1 = 0') %}
    {% do run_query(insert_links(news, 'build_changed', are_new=true)) %}
    {% do run_query(reach_slice(slice, links, news, changed, events)) %}
    {% set share = one_value(
        'select 1.0 * count(*) / greatest((select count(*) from ' ~ our_table('build_seen') ~ '), 1) from '
        ~ slice ~ ' where record in (select record from ' ~ our_table('build_seen') ~ ')'
    ) %}
    {% if share > 0.34 %}
        {% do run_query('delete from ' ~ slice) %}
    {% else %}
        {% do run_query(keep_links(links, news, changed)) %}
        {% do run_query(
            'create or replace table ' ~ our_table('build_identifiers') ~ ' as select * from '
            ~ our_table('int_identifiers__counted')
        ) %}
    {% endif %}
{% endmacro %}

{# The records that are not what the last run saw, and those that time has changed. #}
{% macro build_changed(changed) -%}
    create or replace table {{ changed }} as
    select coalesce(now_there.record, before.record) as record
    from {{ our_table('build_seen') }} as now_there
    full outer join {{ our_table('build_records') }} as before on now_there.record = before.record
    where now_there.content is distinct from before.content
    union
    select record from {{ our_table('build_wakes') }} where wakes_at <= {{ as_of() }}
{%- endmacro %}

{# From what changed along all links, old and new, as far as they go. Also in the slice: whatever somebody to be forgotten
   has, because a shared number may come to mean somebody else; one payment, so that the models see that there are any;
   and 0, which no slice is empty without. #}
{% macro reach_slice(slice, links, news, changed, events) -%}
    {%- set of_event = hash_of(['events.source_table', 'events.source_id']) %}
    insert into {{ slice }}
    with recursive edges as (
        select record, linked from {{ links }} union all select record, linked from {{ news }}
        union all select linked, record from {{ links }} union all select linked, record from {{ news }}
    ),
    reached (record) as (
        select record from (
            select record from {{ changed }}
            {#- By the id that it has, and by the one that it would have again if it was sent under it. -#}
            {%- for id in ['events.event_id', event_id('events.event_name', 'events.natural_key')] %}
            union
            select {{ of_event }} from {{ events }} as events
            inner join {{ changed }} as changed
                on {{ hash_of(["'sent_log'", 'events.event_name', id]) }} = changed.record
            {%- endfor %}
            union
            select {{ of_event }} from {{ events }} as events
            inner join {{ our_table('fct_conversion_outbox') }} as outbox on events.event_key = outbox.event_key
            where outbox.hold_reason = 'suppressed'
            {%- if has_raw_column('payments') %}
            union
            select record from (select {{ raw_record('payments') }} as record from {{ source('raw', 'payments') }} limit 1)
                as payments
            {%- endif %}
        ) as begun
        union
        select edges.linked from reached inner join edges on reached.record = edges.record
    )
    select record from reached
    union
    select 0;
    insert into {{ slice }}
    {{ event_records(events) }};
{%- endmacro %}

{# The events of the slice's records, by which the models that come after them know their rows. #}
{% macro event_records(events) -%}
    select distinct {{ hash_of(["'events'", 'event_key']) }} from {{ events }}
    where {{ hash_of(['source_table', 'source_id']) }} in (select record from {{ our_table('build_slice') }})
{%- endmacro %}

{# Writes down the links of what changed, for the runs to come. #}
{% macro keep_links(links, news, changed) -%}
    delete from {{ links }} where record in (select record from {{ changed }});
    insert into {{ links }} select * from {{ news }};
{%- endmacro %}

{# After int_events__keyed: its new events belong to the slice as well. #}
{% macro extend_slice() -%}
    {%- if is_slice() -%}
        insert into {{ our_table('build_slice') }} {{ event_records(this) }}
    {%- endif -%}
{%- endmacro %}
