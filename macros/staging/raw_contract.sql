{# The raw tables: every column that is read, the kind it is read as, and whether it must be there. Staging, the
   errors about missing columns and the count of unreadable values all go by this list. #}
{% macro raw_contract() %}
    {{ return({
        'orders': {
            'required': {
                'order_id': 'text', 'channel': 'text', 'financial_status': 'text', 'created_at': 'time',
                'updated_at': 'time', 'currency': 'text', 'total': 'number', 'is_test': 'bool',
            },
            'optional': {
                'customer_id': 'text', 'session_id': 'text', 'browser_event_id': 'text', 'paid_at': 'time',
                'cancelled_at': 'time', 'subtotal': 'number', 'discount': 'number', 'shipping': 'number',
                'tax': 'number', 'email': 'text', 'phone': 'text', 'first_name': 'text', 'last_name': 'text',
                'city': 'text', 'region': 'text', 'postal_code': 'text', 'country_code': 'text',
                'date_of_birth': 'text', 'gender': 'text', 'client_ip': 'text', 'user_agent': 'text',
                'landing_url': 'text', 'net_revenue': 'number', 'predicted_ltv': 'number', 'is_new_customer': 'bool',
            },
        },
        'order_lines': {
            'required': {
                'order_id': 'text', 'line_number': 'integer', 'product_id': 'text', 'quantity': 'integer',
                'unit_price': 'number',
            },
            'optional': {'title': 'text', 'category': 'text'},
        },
        'sessions': {
            'required': {'session_id': 'text', 'visitor_id': 'text', 'started_at': 'time'},
            'optional': {
                'customer_id': 'text', 'landing_url': 'text', 'referrer_url': 'text', 'fbp': 'text', 'fbc': 'text',
                'client_ip': 'text', 'user_agent': 'text', 'country_code': 'text', 'global_privacy_control': 'bool',
                'ga_client_id': 'text',
            },
        },
        'consent': {
            'required': {
                'consent_id': 'text', 'subject_type': 'text', 'subject_id': 'text', 'purpose': 'text',
                'status': 'text', 'recorded_at': 'time',
            },
            'optional': {'jurisdiction': 'text', 'source': 'text'},
        },
        'payments': {
            'is_optional': true,
            'required': {
                'payment_id': 'text', 'order_id': 'text', 'status': 'text', 'amount': 'number', 'currency': 'text',
            },
            'optional': {'confirmed_at': 'time', 'method': 'text'},
        },
        'refunds': {
            'is_optional': true,
            'required': {'refund_id': 'text', 'order_id': 'text', 'amount': 'number'},
            'optional': {'currency': 'text', 'refunded_at': 'time'},
        },
        'leads': {
            'is_optional': true,
            'required': {'lead_id': 'text', 'stage': 'text', 'occurred_at': 'time', 'channel': 'text'},
            'optional': {
                'created_at': 'time', 'platform_lead_id': 'text', 'crm_name': 'text', 'customer_id': 'text',
                'visitor_id': 'text', 'session_id': 'text', 'browser_event_id': 'text', 'value': 'number',
                'currency': 'text', 'predicted_ltv': 'number', 'registration_status': 'text', 'content_name': 'text',
                'content_category': 'text', 'email': 'text', 'phone': 'text', 'first_name': 'text',
                'last_name': 'text', 'city': 'text', 'region': 'text', 'postal_code': 'text', 'country_code': 'text',
                'date_of_birth': 'text', 'gender': 'text', 'client_ip': 'text', 'user_agent': 'text',
                'landing_url': 'text', 'is_test': 'bool',
            },
        },
        'subscriptions': {
            'is_optional': true,
            'required': {'subscription_id': 'text', 'change': 'text', 'changed_at': 'time'},
            'optional': {
                'period': 'integer', 'plan_name': 'text', 'amount': 'number', 'currency': 'text',
                'predicted_ltv': 'number', 'channel': 'text', 'order_id': 'text', 'customer_id': 'text',
                'visitor_id': 'text', 'session_id': 'text', 'browser_event_id': 'text', 'email': 'text',
                'phone': 'text', 'first_name': 'text', 'last_name': 'text', 'city': 'text', 'region': 'text',
                'postal_code': 'text', 'country_code': 'text', 'date_of_birth': 'text', 'gender': 'text',
                'client_ip': 'text', 'user_agent': 'text', 'landing_url': 'text', 'is_test': 'bool',
            },
        },
        'web_events': {
            'is_optional': true,
            'required': {'web_event_id': 'text', 'event_name': 'text', 'occurred_at': 'time'},
            'optional': {
                'event_id': 'text', 'session_id': 'text', 'visitor_id': 'text', 'customer_id': 'text',
                'order_id': 'text', 'page_url': 'text', 'referrer_url': 'text', 'value': 'number', 'currency': 'text',
                'product_id': 'text', 'quantity': 'integer', 'unit_price': 'number', 'content_ids': 'text',
                'content_type': 'text', 'num_items': 'integer', 'content_name': 'text', 'content_category': 'text',
                'search_string': 'text', 'email': 'text', 'phone': 'text', 'client_ip': 'text', 'user_agent': 'text',
                'fbp': 'text', 'fbc': 'text', 'country_code': 'text', 'region': 'text', 'is_test': 'bool',
            },
        },
        'app_events': {
            'is_optional': true,
            'required': {'app_event_id': 'text', 'event_name': 'text', 'occurred_at': 'time', 'platform': 'text'},
            'optional': {
                'event_id': 'text', 'os_version': 'text', 'advertiser_tracking_enabled': 'bool',
                'application_tracking_enabled': 'bool', 'package_name': 'text', 'app_version_short': 'text',
                'app_version_long': 'text', 'device_model': 'text', 'locale': 'text', 'timezone_abbreviation': 'text',
                'carrier': 'text', 'screen_width': 'text', 'screen_height': 'text', 'screen_density': 'text',
                'cpu_cores': 'text', 'storage_gb': 'text', 'free_storage_gb': 'text', 'device_timezone': 'text',
                'madid': 'text', 'anon_id': 'text', 'vendor_id': 'text', 'install_referrer': 'text',
                'installer_package': 'text', 'campaign_ids': 'text', 'customer_id': 'text', 'visitor_id': 'text',
                'order_id': 'text', 'value': 'number', 'currency': 'text', 'product_id': 'text',
                'quantity': 'integer', 'unit_price': 'number', 'content_ids': 'text', 'content_type': 'text',
                'num_items': 'integer', 'search_string': 'text', 'email': 'text', 'phone': 'text',
                'country_code': 'text', 'region': 'text', 'client_ip': 'text', 'is_test': 'bool',
            },
        },
        'messages': {
            'is_optional': true,
            'required': {
                'message_id': 'text', 'event_name': 'text', 'occurred_at': 'time', 'messaging_channel': 'text',
            },
            'optional': {
                'page_id': 'text', 'page_scoped_user_id': 'text', 'whatsapp_business_account_id': 'text',
                'ctwa_clid': 'text', 'instagram_business_account_id': 'text', 'ig_sid': 'text', 'customer_id': 'text',
                'order_id': 'text', 'value': 'number', 'currency': 'text', 'product_id': 'text',
                'quantity': 'integer', 'unit_price': 'number', 'content_ids': 'text', 'email': 'text',
                'phone': 'text', 'country_code': 'text', 'region': 'text', 'is_test': 'bool',
            },
        },
        'suppressions': {
            'is_optional': true,
            'required': {'subject_type': 'text', 'subject_value': 'text'},
            'optional': {'requested_at': 'time', 'country_code': 'text'},
        },
    }) }}
{% endmacro %}
