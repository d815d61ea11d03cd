{# Whether a buyer is new to the shop, in the platforms' words, from a flag; NULL when nobody knows.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/parameters/server-event, read 2026-09-12 #}
{% macro customer_segmentation(is_new_customer) -%}
    case {{ is_new_customer }}
        when true then 'new_customer_to_business'
        when false then 'existing_customer_to_business'
    end
{%- endmacro %}
