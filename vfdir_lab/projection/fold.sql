/* A text as search compares it: without case, accents, ligatures, full width and the other forms of sigma and s. */
replace(replace(replace(replace(replace(replace(replace(replace(
    translate(
        strip_accents(lower($text)),
        'ςſａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ０１２３４５６７８９',
        'σsabcdefghijklmnopqrstuvwxyz0123456789'
    ),
    'ß', 'ss'), 'ﬀ', 'ff'), 'ﬁ', 'fi'), 'ﬂ', 'fl'), 'ﬃ', 'ffi'), 'ﬄ', 'ffl'), 'ﬅ', 'st'), 'ﬆ', 'st')
