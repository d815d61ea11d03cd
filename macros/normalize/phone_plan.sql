{# The columns of the seed countries that say how a country writes phone numbers, in the order in which normalize_phone
   takes them: normalize_phone('phone', *phone_plan()). #}
{% macro phone_plan() -%}
    {{ return([
        'calling_code', 'trunk_prefix', 'trunk_pattern', 'trunk_becomes', 'international_prefix', 'shapes',
        'code_lengths',
    ]) }}
{%- endmacro %}
