{# The columns that every int_events__* model of one event provides, in any order. They are raw: what follows the union
   normalizes, hashes and judges them in the same way for all events.
   natural_key may be NULL; row_key never is, and is unique among the rows of one event. source_hold_reason is what
   the shop's own records say against sending, NULL when nothing. #}
{% macro event_columns() %}
    {{ return([
        'event_name', 'natural_key', 'row_key', 'browser_event_id', 'event_at', 'action_source', 'source_hold_reason',
        'order_id', 'value', 'currency', 'contents', 'content_ids', 'content_type', 'num_items',
        'customer_id', 'visitor_id', 'email', 'phone', 'first_name', 'last_name', 'city', 'region', 'postal_code',
        'country', 'session_country', 'date_of_birth', 'gender',
        'client_ip', 'session_client_ip', 'user_agent', 'session_user_agent', 'landing_url', 'session_landing_url',
        'referrer_url', 'session_started_at', 'fbp', 'fbc',
    ]) }}
{% endmacro %}
