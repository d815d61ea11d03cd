{# Whether an app event carries what a destination needs to know about the app and the device: the version of the
   operating system, and whether the person may be tracked. A policy that withholds the device's data leaves none.
   https://developers.facebook.com/documentation/ads-commerce/conversions-api/app-events, read 2026-09-12 #}
{% macro has_app_data(events, withheld_fields) -%}
    (
            nullif({{ list_item(events ~ '.app_info', 5) }}, '') is not null
            and {{ events }}.advertiser_tracking_enabled is not null
            and not {{ is_withheld('app_info', withheld_fields) }}
        )
{%- endmacro %}
