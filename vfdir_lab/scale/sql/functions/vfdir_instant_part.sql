-- vfdir_instant_part(text STRING, part INT) RETURNS STRING
/* A part of a text that gives a time: 1 year, 3 month, 4 day, 5 hour, 6 minute, 7 second, 8 fraction, 9 the sign,
   10 the hours, 11 the minutes and 12 the seconds of the distance from UTC; empty where it is not said. */
regexp_extract(
    text,
    '^([0-9]{1,4})([-/ \\\\])([0-9]{1,2})\\2([0-9]{1,2})(?:[T ] *([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\\.([0-9]*))?)?(?: ?UTC|Z|([+-])([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2}))?)?)? *)?\\z',
    part
)
