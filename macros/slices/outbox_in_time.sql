{# After fct_conversion_outbox in a slice: what time alone decides of the rows that the slice left as they are. #}
{% macro outbox_in_time() -%}
    {%- if is_slice() -%}
        update {{ this }} set hold_reason = 'expired', is_sendable = false
        where (hold_reason is null or hold_reason in ('destination_disabled', 'waiting_period'))
            and {{ is_expired('expires_at') }};
        update {{ this }} set hold_reason = null, is_sendable = true
        where hold_reason = 'waiting_period' and {{ as_of() }} >= send_after;
        {{ renewed_as_of() }}
    {%- endif -%}
{%- endmacro %}

{# After a mart in a slice: all its rows are of this run's moment, also those that stay as they are. #}
{% macro renewed_as_of() -%}
    {%- if is_slice() -%}
        update {{ this }} set as_of = {{ as_of() }} where as_of <> {{ as_of() }}
    {%- endif -%}
{%- endmacro %}

{# Whether a destination does not take an event any more; an hour is left for the way there. #}
{% macro is_expired(expires_at) -%}
    {{ as_of() }} > {{ add_hours(expires_at, -1) }}
{%- endmacro %}
