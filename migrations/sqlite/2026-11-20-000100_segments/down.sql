DROP TABLE segment_names;
DROP TABLE segments;
