{# The id under which every platform counts an event: the browser's own where it sent one, else the event's name in
   lower case and its natural key (purchase.1001). A page template can produce the same id for the browser pixel.
   A NULL key makes a NULL id, never one that two events share. int_events__keyed keeps the latter for an event that was
   sent under it before the browser's id came. #}
{% macro event_id(event_name, natural_key, browser_event_id='null') -%}
    coalesce({{ browser_event_id }}, lower({{ event_name }}) || '.' || {{ natural_key }})
{%- endmacro %}
