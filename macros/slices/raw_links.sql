{# The column that names a row of each raw table. #}
{% macro raw_keys() %}
    {{ return({
        'orders': 'order_id', 'order_lines': 'order_id', 'sessions': 'session_id', 'consent': 'consent_id',
        'payments': 'payment_id', 'refunds': 'refund_id', 'leads': 'lead_id', 'subscriptions': 'subscription_id',
        'web_events': 'web_event_id', 'app_events': 'app_event_id', 'messages': 'message_id',
    }) }}
{% endmacro %}

{# A raw row, by its table and its id, as a slice knows it. #}
{% macro raw_record(table) -%}
    {{ hash_of(["'" ~ table ~ "'", raw_text(table, raw_keys()[table])]) }}
{%- endmacro %}

{# What a raw row goes with, as SQL of hashes that may be NULL: rows that have one of these in common can change one
   another's events. Every column by which a model joins or groups the rows of several records must be here. #}
{% macro raw_links(table) %}
    {% set nodes = {'customer_id': 'customer', 'visitor_id': 'visitor', 'lead_id': 'lead'} %}
    {% set records = {'order_id': 'orders', 'session_id': 'sessions'} %}
    {% set ids = ['browser_event_id', 'event_id'] %}
    {% set links = [] %}
    {% for column in records if has_raw_column(table, column) and raw_keys()[table] != column %}
        {% do links.append(link_of("'" ~ records[column] ~ "'", raw_text(table, column))) %}
    {% endfor %}
    {% for column in nodes if has_raw_column(table, column) %}
        {% do links.append(link_of("'nodes'", "'" ~ nodes[column] ~ ":' || " ~ raw_text(table, column))) %}
    {% endfor %}
    {% for column in ids if has_raw_column(table, column) %}
        {% do links.append(link_of("'ids'", raw_text(table, column))) %}
    {% endfor %}
    {% if may_wait(table) and has_raw_column(table, 'email') %}
        {% do links.append(link_of_email(table)) %}
    {% endif %}
    {% if table == 'order_lines' %}
        {% do links.append(link_of("'orders'", raw_text(table, 'order_id'))) %}
    {% elif table == 'consent' %}
        {% set subject = 'lower(' ~ raw_text(table, 'subject_type') ~ ") || ':' || " ~ raw_text(table, 'subject_id') %}
        {% do links.append(link_of("'nodes'", subject)) %}
    {% endif %}
    {{ return(links) }}
{% endmacro %}

{# Whether rows of a table may become events, and cease to be, without any change of their own. #}
{% macro may_wait(table) %}
    {{ return(table in ('app_events', 'messages', 'subscriptions')) }}
{% endmacro %}

{# The same for rows that no run has seen: their e-mail address. Of rows that one has seen it is read from the events. #}
{% macro new_raw_links(table) %}
    {{ return([link_of_email(table)] if has_raw_column(table, 'email') else []) }}
{% endmacro %}

{# Adds, for raw rows that no run has seen, the ids that their events may get under some names: those that a record
   has which is no such row. The ids that their events do get are written down when the run ends. Of rows that may
   wait to become one, all ids. #}
{% macro insert_shared_ids(target, links, chosen, event_names) -%}
    {%- set may_be_events = ['orders', 'leads', 'subscriptions', 'web_events', 'app_events', 'messages'] -%}
    {%- set quoted_names = [] -%}
    {%- for name in event_names %} {%- do quoted_names.append(quoted(name)) -%} {%- endfor %}
    insert into {{ target }}
    with ids as (
        select keys.record, keys.may_wait,
            {{ link_of("'ids'", event_id('names.event_name', 'keys.natural_key')) }} as linked
        from (
        {%- for table in may_be_events if has_raw_column(table) %}
            {%- set id = raw_text(table, raw_keys()[table]) %}
            select {{ raw_record(table) }} as record,
                {{ may_wait(table) }} as may_wait, unnest({{ list_of([id, quoted(table ~ '-') ~ ' || ' ~ id]) }})
                as natural_key
            from {{ source('raw', table) }}
            where {{ raw_record(table) }} in (select record from {{ our_table(chosen) }})
            {{- ' union all' if not loop.last }}
        {%- endfor %}
        ) as keys
        cross join (select unnest({{ list_of(quoted_names) }}) as event_name) as names
        where keys.natural_key is not null
    )
    select record, linked from ids
    where may_wait or linked in (select ids.linked from ids inner join {{ links }} as links on ids.linked = links.linked)
{%- endmacro %}

{# The e-mail address of a raw row, as int_identities__mentioned has it. #}
{% macro link_of_email(table) -%}
    {{ link_of("'nodes'", "'email:' || " ~ hashed('email', raw_text(table, 'email'))) }}
{%- endmacro %}

{# The hash of a value under a kind; NULL where there is no value. #}
{% macro link_of(kind, value) -%}
    case when {{ value }} is not null then {{ hash_of([kind, value]) }} end
{%- endmacro %}

{# A text column of a raw table, read as staging reads it. #}
{% macro raw_text(table, column) -%}
    {%- if has_raw_column(table, column) -%}
        {{ whole_text(table, column, as_text(raw_name(table, column))) }}
    {%- else -%}
        {{ null_of('text') }}
    {%- endif -%}
{%- endmacro %}
