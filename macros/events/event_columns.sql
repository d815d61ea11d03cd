{# The columns of every int_events__* model of one event, and the kind of each. They are raw: what follows the union
   finds sessions, normalizes, hashes and judges them in the same way for all events.
   natural_key makes the event id and may be NULL; row_key never is, and is unique among the rows of one event name.
   source_hold_reason is what the shop's own records say against sending, NULL when nothing. Sessions up to matched_at
   count as the event's, NULL: up to event_at. #}
{% macro event_columns() %}
    {{ return({
        'event_name': 'text', 'natural_key': 'text', 'row_key': 'text', 'browser_event_id': 'text', 'event_at': 'time',
        'action_source': 'text', 'source_hold_reason': 'text', 'is_value_required': 'bool', 'source_table': 'text',
        'source_id': 'text',
        'session_id': 'text', 'matched_at': 'time', 'customer_id': 'text', 'visitor_id': 'text',
        'order_id': 'text', 'value': 'number', 'currency': 'text', 'contents': 'contents', 'content_ids': 'texts',
        'content_type': 'text', 'num_items': 'integer', 'content_name': 'text', 'content_category': 'text',
        'search_string': 'text', 'registration_status': 'text', 'predicted_ltv': 'number', 'net_revenue': 'number',
        'customer_segmentation': 'text',
        'lead_id': 'text', 'lead_event_source': 'text', 'event_source': 'text', 'subscription_id': 'text',
        'email': 'text', 'phone': 'text', 'first_name': 'text', 'last_name': 'text', 'city': 'text', 'region': 'text',
        'postal_code': 'text', 'country': 'text', 'date_of_birth': 'text', 'gender': 'text',
        'client_ip': 'text', 'user_agent': 'text', 'landing_url': 'text', 'page_url': 'text', 'referrer_url': 'text',
        'fbp': 'text', 'fbc': 'text',
        'app_info': 'texts', 'advertiser_tracking_enabled': 'bool', 'application_tracking_enabled': 'bool',
        'madid': 'text', 'anon_id': 'text', 'vendor_id': 'text', 'install_referrer': 'text',
        'installer_package': 'text', 'campaign_ids': 'text',
        'messaging_channel': 'text', 'page_id': 'text', 'page_scoped_user_id': 'text',
        'whatsapp_business_account_id': 'text', 'ctwa_clid': 'text', 'instagram_business_account_id': 'text',
        'ig_sid': 'text',
    }) }}
{% endmacro %}

{# What of an event says what it is about, and passes through to the mart as it is. #}
{% macro passing_columns() %}
    {{ return([
        'order_id', 'contents', 'content_ids', 'content_type', 'num_items', 'content_name', 'content_category',
        'search_string', 'registration_status', 'customer_segmentation', 'lead_id', 'lead_event_source',
        'event_source', 'subscription_id', 'app_info', 'advertiser_tracking_enabled', 'application_tracking_enabled',
        'madid', 'anon_id', 'vendor_id', 'install_referrer', 'installer_package', 'campaign_ids', 'messaging_channel',
        'page_id', 'page_scoped_user_id', 'whatsapp_business_account_id', 'ctwa_clid',
        'instagram_business_account_id', 'ig_sid',
    ]) }}
{% endmacro %}
