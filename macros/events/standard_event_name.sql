{# The name of an event as a browser, an app or a conversation wrote it; a name that platforms know gets their spelling,
   without regard to case, blanks, underscores and dashes: add_to_cart, Add To Cart. Any other name stays as it is. #}
{% macro standard_event_name(expression) -%}
    case lower({{ regexp_replace_all(expression, '[' ~ blank_characters() ~ '_-]', '') }})
        {%- for name in standard_events() %}
        when '{{ name | lower }}' then '{{ name }}'
        {%- endfor %}
        else {{ expression }}
    end
{%- endmacro %}
