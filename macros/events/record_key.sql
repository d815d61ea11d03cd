{# What tells the records of a table apart, never NULL: the record's id, or a made-up one with a question mark where it
   has none. A real id that begins like that, or like the keys of another table's events (app_events-1), gets a second
   question mark, so that no two ever meet. #}
{% macro record_key(id, row_number) -%}
    case
        when {{ id }} is null then '?' || cast({{ row_number }} as {{ dbt.type_string() }})
        {%- for beginning in ['?', 'app_events-', 'leads-', 'messages-', 'subscriptions-'] %}
        when {{ id }} like '{{ beginning }}%' then '?' || {{ id }}
        {%- endfor %}
        else {{ id }}
    end
{%- endmacro %}
