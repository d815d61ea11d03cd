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
                'landing_url': 'text',
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
                'client_ip': 'text', 'user_agent': 'text', 'country_code': 'text',
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
    }) }}
{% endmacro %}
