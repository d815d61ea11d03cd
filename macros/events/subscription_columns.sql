{# What every event of a subscription has in common, for event_record. #}
{% macro subscription_columns(subscriptions) %}
    {% set columns = {
        'natural_key': subscriptions ~ '.subscription_id',
        'row_key': subscriptions ~ '.subscription_key',
        'event_at': subscriptions ~ '.changed_at',
        'action_source': action_source(subscriptions ~ '.channel'),
        'is_value_required': 'false',
        'source_table': "'subscriptions'",
        'source_id': subscriptions ~ '.subscription_id',
        'value': subscriptions ~ '.amount',
        'content_name': subscriptions ~ '.plan_name',
    } %}
    {% for mapping in [person_columns(subscriptions), browser_columns(subscriptions), columns_of(subscriptions, [
        'visitor_id', 'subscription_id', 'order_id', 'currency', 'predicted_ltv',
    ])] %}
        {% do columns.update(mapping) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}
