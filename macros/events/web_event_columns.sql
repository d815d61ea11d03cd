{# What every event of the website has from int_web_events__latest, for event_record: its ids and time, who it was, and
   the page. What the event is about is named in its own model. #}
{% macro web_event_columns(table) %}
    {% set mapping = columns_of(table, [
        'row_key', 'session_id', 'visitor_id', 'customer_id', 'email', 'phone', 'region', 'country',
        'client_ip', 'user_agent', 'page_url', 'referrer_url', 'fbp', 'fbc',
    ]) %}
    {% do mapping.update({
        'natural_key': table ~ '.web_event_id',
        'browser_event_id': table ~ '.event_id',
        'event_at': table ~ '.occurred_at',
        'action_source': "'website'",
        'is_value_required': 'false',
        'source_table': "'web_events'",
        'source_id': table ~ '.web_event_id',
        'landing_url': table ~ '.page_url',
    }) %}
    {{ return(mapping) }}
{% endmacro %}
