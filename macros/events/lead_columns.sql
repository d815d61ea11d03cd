{# What every event of a lead has in common, for event_record. #}
{% macro lead_columns(leads) %}
    {% set columns = {
        'natural_key': leads ~ '.lead_id',
        'row_key': leads ~ '.lead_key',
        'event_at': leads ~ '.occurred_at',
        'action_source': action_source(leads ~ '.channel'),
        'is_value_required': 'false',
        'source_table': "'leads'",
        'source_id': leads ~ '.lead_id',
        'lead_id': platform_lead_id(leads ~ '.platform_lead_id'),
    } %}
    {% for mapping in [person_columns(leads), browser_columns(leads), columns_of(leads, [
        'visitor_id', 'value', 'currency', 'predicted_ltv', 'content_name', 'content_category', 'registration_status',
    ])] %}
        {% do columns.update(mapping) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}

{# The id that the ad platform gave to a lead: a number of 15 to 17 digits, else NULL, because one wrong id makes the
   platform refuse the whole batch.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/conversion-leads-integration/payload-specification,
   read 2026-09-12 #}
{% macro platform_lead_id(expression) -%}
    {{ regexp_first(expression, '^([1-9][0-9]{14,16})$') }}
{%- endmacro %}
