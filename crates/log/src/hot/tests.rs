//! Tests of the hot end that need its inside.
