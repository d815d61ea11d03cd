{# Whether an event's value goes with it: one that needs no value goes without an amount or a currency that nobody can
   read, and one that needs it is held for that. #}
{% macro is_value_sent(events) -%}
    {{ events }}.is_value_required or ({{ events }}.value >= 0 and {{ events }}.currency is not null)
{%- endmacro %}
