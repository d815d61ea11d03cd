{# Where an event happened, in the platforms' words, from the shop's channel. #}
{% macro action_source(channel) -%}
    case {{ channel }}
        when 'web' then 'website'
        when 'app' then 'app'
        when 'pos' then 'physical_store'
        when 'phone' then 'phone_call'
        when 'email' then 'email'
        when 'chat' then 'chat'
        when 'subscription' then 'system_generated'
        when 'system' then 'system_generated'
        else 'other'
    end
{%- endmacro %}
