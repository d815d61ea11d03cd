{# Why what happened in a conversation may not be told; NULL when it may. The platform refuses the whole batch for a name
   that is none of a conversation's, and each channel asks for two ids of its own.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/business-messaging, read 2026-09-12 #}
{% macro messaging_hold_reason(messages) -%}
    {%- set names = ['AddToCart', 'InitiateCheckout', 'Purchase', 'ViewContent'] + messaging_events() -%}
    {%- set ids = {
        'messenger': ['page_id', 'page_scoped_user_id'],
        'whatsapp': ['whatsapp_business_account_id', 'ctwa_clid'],
        'instagram': ['instagram_business_account_id', 'ig_sid'],
    } -%}
    case
        when {{ messages }}.event_name is null or {{ messages }}.event_name not in (
            '{{ names | join("',\n            '") }}'
        ) then 'invalid_event_name'
        {%- for channel, columns in ids.items() %}
        when
            {{ messages }}.messaging_channel = '{{ channel }}'
            and {{ messages }}.{{ columns[0] }} is not null
            and {{ messages }}.{{ columns[1] }} is not null
            then null
        {%- endfor %}
        else 'missing_messaging_data'
    end
{%- endmacro %}
