{# The click ids of the ad platforms but Meta's: our column, and the parameter of a landing URL that holds it. #}
{% macro click_ids() %}
    {{ return({
        'gclid': 'gclid', 'gbraid': 'gbraid', 'wbraid': 'wbraid', 'ttclid': 'ttclid', 'sc_cid': 'ScCid', 'epik': 'epik',
        'rdt_cid': 'rdt_cid', 'li_fat_id': 'li_fat_id', 'msclkid': 'msclkid', 'twclid': 'twclid',
    }) }}
{% endmacro %}

{# The click ids in a landing URL as a select list. #}
{% macro click_ids_of(url) -%}
    {%- set found = [] -%}
    {%- for column, parameter in click_ids().items() -%}
        {%- do found.append(url_parameter(url, parameter) ~ ' as ' ~ column) -%}
    {%- endfor -%}
    {{ found | join(',\n        ') }}
{%- endmacro %}

{# The click ids of an event as a select list: its own, its session's, else the last one lent. #}
{% macro click_ids_of_event() -%}
    {%- set found = [] -%}
    {%- for column, parameter in click_ids().items() -%}
        {%- do found.append('coalesce(' ~ click_id(parameter) ~ ', lent_' ~ column ~ ') as ' ~ column) -%}
    {%- endfor -%}
    {{ found | join(',\n        ') }}
{%- endmacro %}

{# The columns of int_events__lent with lent_ before their names, as a select list. #}
{% macro lent_columns(lent) -%}
    {%- set found = [] -%}
    {%- for column in ['fbc', 'fbp'] + click_ids() | list -%}
        {%- do found.append(lent ~ '.' ~ column ~ ' as lent_' ~ column) -%}
    {%- endfor -%}
    {{ found | join(',\n        ') }}
{%- endmacro %}
