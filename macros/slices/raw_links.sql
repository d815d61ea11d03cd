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
        {#- Ids of two spellings are one to who asks to be forgotten: each goes with the form that is hashed. -#}
        {% for id in [raw_text(table, column), other_spelling(raw_text(table, column))] %}
            {% do links.append(link_of("'nodes'", "'" ~ nodes[column] ~ ":' || " ~ id)) %}
        {% endfor %}
    {% endfor %}
    {% for column in ids if has_raw_column(table, column) %}
        {% do links.append(link_of("'ids'", raw_text(table, column))) %}
        {% do links.extend(makers_of_id(raw_text(table, column))) %}
    {% endfor %}
    {#- These may become events, and cease to be, without any change of their own. -#}
    {% if table in ('app_events', 'messages', 'subscriptions', 'web_events') and has_raw_column(table, 'email') %}
        {% do links.append(link_of_email(table)) %}
    {% endif %}
    {% if table == 'order_lines' %}
        {% do links.append(link_of("'orders'", raw_text(table, 'order_id'))) %}
    {% elif table == 'consent' %}
        {% set subject = consent_subject(raw_text(table, 'subject_type')) ~ " || ':' || " ~ raw_text(table, 'subject_id') %}
        {% do links.append(link_of("'nodes'", subject)) %}
    {% endif %}
    {{ return(links) }}
{% endmacro %}

{# The same for rows that no run has seen: their e-mail address. Of rows that one has seen it is read from the events. #}
{% macro new_raw_links(table) %}
    {{ return([link_of_email(table)] if has_raw_column(table, 'email') else []) }}
{% endmacro %}

{# The records that make an id by themselves, as event_id() does: purchase.1001 is order 1001's. Which event has the id
   is not known here, so these are the records of every table of events; of a renewal the id is followed by its period.
   An id that begins with anything but an event's name in lower case, without digits, is a browser's own: the counter in
   aB3.1 would lead to whatever has the id 1. #}
{% macro makers_of_id(id) %}
    {% set links, natural_key = [], regexp_first(id, '^[^0-9A-Z.]+[.](.+)$') %}
    {% for table in ['orders', 'leads', 'subscriptions', 'web_events', 'app_events', 'messages'] %}
        {% do links.append(link_of(quoted(table), natural_key)) %}
        {% do links.append(link_of(quoted(table), regexp_first(natural_key, '^' ~ table ~ '-(.+)$'))) %}
    {% endfor %}
    {% do links.append(link_of("'subscriptions'", regexp_first(natural_key, '^(.+)[.][^.]+$'))) %}
    {{ return(links) }}
{% endmacro %}

{# The e-mail address of a raw row, as int_identities__mentioned has it. #}
{% macro link_of_email(table) -%}
    {{ link_of("'nodes'", "'email:' || " ~ hashed('email', raw_text(table, 'email'))) }}
{%- endmacro %}

{# The form in which an id is hashed; NULL where it is written like that. #}
{% macro other_spelling(id) -%}
    nullif({{ normalize_external_id(id) }}, {{ id }})
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
