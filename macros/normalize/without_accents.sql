{# The text, which is in form C and lower case, without accents: é is e, ñ is n, ễ is e. Letters with a stroke (ø, ł)
   have no accent that could go, and stay. Every letter of Unicode's Latin blocks that is a-z with marks, as a list,
   because no function for this is in each warehouse. #}
{% macro without_accents(expression) -%}
    {% set accented = {
        'a': 'àáâãäåāăąǎǟǡǻȁȃȧḁạảấầẩẫậắằẳẵặ',
        'b': 'ḃḅḇ',
        'c': 'çćĉċčḉ',
        'd': 'ďḋḍḏḑḓ',
        'e': 'èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ',
        'f': 'ḟ',
        'g': 'ĝğġģǧǵḡ',
        'h': 'ĥȟḣḥḧḩḫẖ',
        'i': 'ìíîïĩīĭįǐȉȋḭḯỉị',
        'j': 'ĵǰ',
        'k': 'ķǩḱḳḵ',
        'l': 'ĺļľḷḹḻḽ',
        'm': 'ḿṁṃ',
        'n': 'ñńņňǹṅṇṉṋ',
        'o': 'òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ',
        'p': 'ṕṗ',
        'r': 'ŕŗřȑȓṙṛṝṟ',
        's': 'śŝşšșṡṣṥṧṩ',
        't': 'ţťțṫṭṯṱẗ',
        'u': 'ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự',
        'v': 'ṽṿ',
        'w': 'ŵẁẃẅẇẉẘ',
        'x': 'ẋẍ',
        'y': 'ýÿŷȳẏẙỳỵỷỹ',
        'z': 'źżžẑẓẕ',
    } -%}
    {% set plain = [] -%}
    {% for letter, letters in accented.items() %}{% do plain.append(letter * (letters | length)) %}{% endfor -%}
    case when {{ regexp_matches(expression, "[\u00e0-\u036f\u1e01-\u1ef9]") }} then {{ regexp_remove(
        translated(expression, accented.values() | join, plain | join), "[\u0300-\u036f]+"
    ) }} else {{ expression }} end
{%- endmacro %}
