{# The client id in a _ga cookie or by itself: two numbers with a dot between them, as a tag makes it. NULL when there is
   none. https://developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events, read 2026-11-20 #}
{% macro browser_client_id(cookie) -%}
    {{ regexp_first(cookie, '^(?:GA1[.][0-9]+[.])?([0-9]+[.][0-9]+)$') }}
{%- endmacro %}
